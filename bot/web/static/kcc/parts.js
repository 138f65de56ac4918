/** Puts new parts in the place of old ones. What has the focus keeps it, and lines are added, not written anew. */

/** Put the fresh content in `old`, where it differs. */
export function replace(old, fresh) {
  if (old.innerHTML === fresh.innerHTML) return;
  const key = old.contains(document.activeElement) ? document.activeElement.id : null;
  const open = [...old.querySelectorAll("details[open][id]")].map((one) => one.id);
  old.replaceChildren(...fresh.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (key === null) return;
  const again = key && document.getElementById(key);
  if (again) again.focus({ preventScroll: true });
  else old.closest("[tabindex]")?.focus({ preventScroll: true });
}

/** Bring the lines up to date: changed ones in place, new ones where they belong. False where the fresh ones do not
    reach back to those that are there: then only the fresh ones are shown. */
export function merge(list, fresh) {
  const lines = [...fresh.children];
  if (!lines.some((line) => line.dataset.seq && document.getElementById(line.id))) {
    list.replaceChildren(...lines);
    return false;
  }
  for (const line of lines) {
    const known = document.getElementById(line.id);
    if (!known) place(list, line);
    else if (known.outerHTML !== line.outerHTML) {
      const focused = known.contains(document.activeElement);
      known.replaceWith(line);
      if (focused) line.querySelector("a, button")?.focus({ preventScroll: true });
    }
  }
  return true;
}

/** At the end, or before the lines that were said after it but came in sooner. */
function place(list, line) {
  let after = null;
  for (let last = list.lastElementChild; last && line.dataset.seq; last = last.previousElementSibling) {
    if (!(Number(last.dataset.seq) > Number(line.dataset.seq))) break;
    after = last;
  }
  list.insertBefore(line, after);
}

/** Put older lines before those that are there. */
export function prepend(list, older) {
  for (const line of [...older.children]) document.getElementById(line.id)?.remove();
  list.prepend(...older.children);
}
