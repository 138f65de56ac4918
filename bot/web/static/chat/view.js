/** The page: shows the conversation and passes on what the resident does. Decides nothing. */

import { Composer } from "./composer.js";
import { messageLine, ownLine, setState } from "./line.js";
import { element } from "./markup.js";
import { Notices } from "./notices.js";
import { Sight } from "./sight.js";

const UNSENT = "[data-client]:not([data-id])";
const TYPING_AFTER = 400;

export class View {
  #page;
  #log;
  #composer;
  #notices;
  #sight;
  #onChoice;
  #connected = true;
  #typing = null;
  #told = false; // that an agent types, since their last message
  #title;
  #unseen = 0;

  constructor(page) {
    this.#page = page;
    this.#log = page.getElementById("log");
    this.#title = page.title;
  }

  /** Bring the page to life. */
  start({ draft, onDraft, onTyping, onText, onChoice, onHuman, onRestart }) {
    this.#onChoice = onChoice;
    this.#at("dock").hidden = false;
    this.#at("actions").hidden = false;
    this.#composer = new Composer(this.#page, { draft, onDraft, onTyping, onText });
    this.#notices = new Notices(this.#page, () => {
      onChoice({ id: "bot", label: "Verder met Klaartje" });
      this.#composer.focus();
    });
    this.#sight = new Sight(this.#page, () => this.#composer.focus());
    this.#at("human").addEventListener("click", onHuman);
    this.#askBeforeRestart(onRestart);
    this.#page.addEventListener("visibilitychange", () => this.#seen());
  }

  // -- the conversation --------------------------------------------------------------------------------------

  /** Whether a message of the transcript is on the page. */
  has(id) {
    return this.#line("id", id) !== null;
  }

  /** Show messages in the order of the transcript; `after` is the one before them. Known ones stay as they are. */
  lines(messages, after) {
    const history = after === null && messages.length > 1;
    if (history) this.#log.setAttribute("aria-live", "off"); // nobody wants it all read out again
    let previous = after === null ? null : this.#line("id", after);
    const added = [];
    for (const message of messages) {
      let line = this.#line("id", message.id) ?? this.#adopted(message);
      if (!line) {
        line = messageLine(message, (choice) => this.#chosen(choice));
        if (previous) previous.after(line);
        else this.#log.insertBefore(line, this.#next(messages));
        added.push(line);
      }
      previous = line;
      if (message.from === "agent") this.#told = false;
    }
    this.#dressChoices();
    if (history) requestAnimationFrame(() => this.#log.setAttribute("aria-live", "polite"));
    this.#announce(added, history);
  }

  /** Show what the resident just said. */
  own(item) {
    const line = ownLine(item);
    setState(line, this.#connected ? "sending" : "waiting");
    this.#log.append(line);
    this.#dressChoices();
    this.#notices.tell("");
    this.#sight.toEnd();
  }

  /** The server has it, under this id. */
  accepted(clientId, id) {
    const line = this.#line("client", clientId);
    if (!line) return;
    const shown = this.#line("id", id);
    if (shown && shown !== line) return line.remove();
    line.dataset.id = id;
    return setState(line, "sent");
  }

  /** The server will not have it: back to the resident. */
  refused(item) {
    this.#line("client", item.client_id)?.remove();
    if (item.text) this.#composer.giveBack(item.text);
    this.#notices.tell("Dit bericht konden wij niet versturen. Pas het aan en probeer het nog eens.");
    this.#dressChoices();
  }

  /** The session is gone; what is on the page stays readable. */
  expired() {
    const ended = this.#log.querySelectorAll(".line:not([data-client]), .line[data-id]");
    for (const line of ended) {
      line.dataset.ended = "";
      for (const button of line.querySelectorAll("button")) button.disabled = true;
    }
    const at = new Date().toISOString();
    const text = "Uw vorige gesprek is gestopt. We beginnen een nieuw gesprek. Wat u had getypt, is er nog.";
    this.#log.insertBefore(
      messageLine({ id: "", from: "system", text, at }),
      this.#log.querySelector(UNSENT),
    );
  }

  /** An empty page for another conversation. */
  clear() {
    this.#log.replaceChildren();
    this.#sight.toEnd();
  }

  // -- around it ---------------------------------------------------------------------------------------------

  /** Who owns the conversation, whether an answer is on its way, and the name of the agent who has it. */
  state({ owner, typing, name = "" }) {
    this.#notices.owner(owner);
    if (!typing) {
      clearTimeout(this.#typing);
      this.#typing = null;
      this.#at("typing").replaceChildren();
    } else this.#typing ??= setTimeout(() => this.#showTyping(owner, name), TYPING_AFTER);
  }

  connected(yes) {
    this.#connected = yes;
    this.#notices.connected(yes);
    for (const line of this.#log.querySelectorAll("[data-client]:not([data-state=sent])")) {
      setState(line, yes ? "sending" : "waiting");
    }
  }

  tell(text) {
    this.#notices.tell(text);
  }

  #showTyping(owner, name) {
    const dots = element("span", "typing__dots");
    dots.append(element("span"), element("span"), element("span"));
    const isAgent = owner === "agent";
    const said = isAgent ? `${name || "De medewerker"} typt…` : "Klaartje is aan het typen";
    const words = element("span", "typing__words", said);
    // Somebody who thinks while typing stops and goes on: read out once before each of their messages.
    if (isAgent && this.#told) words.setAttribute("aria-hidden", "true");
    this.#told ||= isAgent;
    this.#at("typing").replaceChildren(dots, words);
    this.#sight.keep();
  }

  #askBeforeRestart(onRestart) {
    const dialog = this.#at("sure");
    this.#at("restart").addEventListener("click", () => dialog.showModal());
    this.#at("sure-no").addEventListener("click", () => dialog.close());
    this.#at("sure-yes").addEventListener("click", () => {
      dialog.close();
      onRestart();
      this.#composer.focus();
    });
  }

  // -- lines -------------------------------------------------------------------------------------------------

  #at(id) {
    return this.#page.getElementById(id);
  }

  /** What comes after a first line: a message of the same conversation, or what is still to be sent. */
  #next(messages) {
    const known = messages.map((message) => this.#line("id", message.id)).find(Boolean);
    return known ?? this.#log.querySelector(UNSENT);
  }

  #line(kind, value) {
    return value ? this.#log.querySelector(`.line[data-${kind}="${CSS.escape(value)}"]`) : null;
  }

  /** An own line that is this message: its acknowledgement is on its way, or got lost. */
  #adopted(message) {
    if (message.from !== "resident") return null;
    const open = [...this.#log.querySelectorAll(UNSENT)];
    const line = open.find((candidate) => said(candidate) === message.text);
    if (line) line.dataset.id = message.id;
    return line ?? null;
  }

  #chosen(choice) {
    const last = this.#log.lastElementChild;
    if (last.matches(".line--resident") && said(last) === choice.label) return; // pressed twice
    this.#onChoice(choice);
  }

  /** Only the newest choices stand out; the ones that were taken show it. All can still be used. */
  #dressChoices() {
    const offered = new Map(); // label -> the newest button with it so far
    let newest = null;
    for (const line of this.#log.children) {
      if (!line.matches(".line--system")) newest?.classList.add("choices--old");
      if (line.matches(".line--resident")) take(offered.get(said(line)));
      for (const button of line.querySelectorAll(".choices__choice")) offered.set(label(button), button);
      newest = line.querySelector(".choices") ?? newest;
    }
  }

  #announce(added, history) {
    const first = added.find((line) => !line.matches(".line--resident"));
    if (!first) return;
    if (history) return this.#sight.toEnd();
    if (this.#page.hidden) this.#page.title = `(${++this.#unseen}) ${this.#title}`;
    const greeting = this.#log.children.length === added.length; // read from the top
    return greeting ? undefined : this.#sight.show(first);
  }

  #seen() {
    if (this.#page.hidden) return;
    this.#unseen = 0;
    this.#page.title = this.#title;
  }
}

function said(line) {
  return line.querySelector(".bubble").textContent;
}

function label(button) {
  return button.querySelector(".nl-button__label").textContent;
}

function take(button) {
  if (!button || button.matches(".choices__choice--chosen")) return;
  button.classList.add("choices__choice--chosen");
  button.append(element("span", "visually-hidden", " (gekozen)"));
}
