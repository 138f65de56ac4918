/** Message text as DOM: paragraphs, `- ` lists, `**bold**` and web addresses. Built node by node, so text stays text. */

const BOLD = /\*\*(?=[^\s*])([^\n]{0,2000}?[^\s*])\*\*/g;
const ADDRESS = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/gi;

/** A text that we wrote, with its markup. */
export function marked(text) {
  const fragment = document.createDocumentFragment();
  for (const part of text.trim().split(/\n{2,}/)) {
    for (const block of blocks(part.split("\n"))) fragment.append(block);
  }
  return fragment;
}

/** A text that a resident wrote: as it is. */
export function plain(text) {
  const paragraph = element("p", "nl-paragraph bubble__plain", text);
  paragraph.dir = "auto";
  return paragraph;
}

/** A link, or just its label where the address is not one that a resident can use. */
export function link(label, url) {
  const safe = usable(url);
  if (!safe) return document.createTextNode(label);
  const anchor = element("a", "nl-link", label);
  anchor.href = safe.href;
  if (safe.protocol.startsWith("http")) {
    anchor.target = "_blank";
    anchor.rel = "noopener noreferrer";
    anchor.append(element("span", "visually-hidden", " (opent in een nieuw tabblad)"));
    anchor.classList.add("link--outside");
  }
  return anchor;
}

/** An element with a class and a text. */
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function usable(url) {
  try {
    const parsed = new URL(url);
    return ["http:", "https:", "tel:", "mailto:"].includes(parsed.protocol) ? parsed : null;
  } catch {
    return null;
  }
}

function* blocks(lines) {
  let list = null;
  let paragraph = null;
  for (const line of lines) {
    if (line.startsWith("- ")) {
      if (!list) {
        if (paragraph) yield paragraph;
        paragraph = null;
        list = element("ul", "utrecht-unordered-list");
      }
      const item = element("li", "utrecht-unordered-list__item");
      item.dir = "auto";
      item.append(...inline(line.slice(2)));
      list.append(item);
    } else {
      if (list) yield list;
      list = null;
      if (paragraph) paragraph.append(element("br"));
      else paragraph = element("p", "nl-paragraph");
      paragraph.dir = "auto";
      paragraph.append(...inline(line));
    }
  }
  yield list ?? paragraph;
}

function* inline(text) {
  for (const [piece, bold] of pieces(text, BOLD)) {
    const nodes = addresses(bold ?? piece);
    if (bold === null) yield* nodes;
    else {
      const strong = element("strong");
      strong.append(...nodes);
      yield strong;
    }
  }
}

function* addresses(text) {
  for (const [piece, found] of pieces(text, ADDRESS)) {
    yield found === null ? document.createTextNode(piece) : link(piece, piece);
  }
}

/** The text cut at the matches: `[piece, null]` between them, `[match, its group]` for each. */
function* pieces(text, pattern) {
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > last) yield [text.slice(last, match.index), null];
    yield [match[0], match[1] ?? match[0]];
    last = match.index + match[0].length;
  }
  if (last < text.length) yield [text.slice(last), null];
}
