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

/** Bring the lines up to date: changed ones in place, new ones at the end. Whether there were new ones. */
export function merge(list, fresh) {
  let added = false;
  for (const line of [...fresh.children]) {
    const known = document.getElementById(line.id);
    if (!known) {
      list.append(line);
      added = true;
    } else if (known.outerHTML !== line.outerHTML) {
      const focused = known.contains(document.activeElement);
      known.replaceWith(line);
      if (focused) line.querySelector("a, button")?.focus({ preventScroll: true });
    }
  }
  return added;
}

/** Put older lines before those that are there. */
export function prepend(list, older) {
  for (const line of [...older.children]) document.getElementById(line.id)?.remove();
  list.prepend(...older.children);
}
