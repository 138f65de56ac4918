/** What is offered to the agent: shown above all else, said once, and taken or left to a colleague. */

import { act } from "./http.js";
import { open } from "./conversation.js";
import { told, wrong } from "./notices.js";

const place = document.getElementById("offer");
const said = document.getElementById("offer-said");

let shown = "";

const key = (holder) => holder.querySelector("[data-key]")?.dataset.key ?? "";

/** The id of the conversation that is offered, or nothing. */
export function offered() {
  return place.querySelector("[data-offer]")?.dataset.offer ?? "";
}

/** Show what the server says of it. The same offer is left alone: somebody may be pressing its button. */
export function show(fresh) {
  if (key(fresh) === key(place)) return;
  const focused = place.contains(document.activeElement);
  place.replaceChildren(...fresh.childNodes);
  if (focused) (document.getElementById("offer-accept") ?? document.getElementById("middle")).focus();
  say();
}

/** Read out once: the times in it change each second. */
function say() {
  if (key(place) === shown) return;
  shown = key(place);
  said.textContent = place.querySelector("[data-said]")?.dataset.said ?? "";
}

/** Take it. */
export async function accept() {
  const id = offered();
  if (!id) return;
  try {
    const done = await act(`/kcc/conversations/${encodeURIComponent(id)}/take`);
    leave();
    await open(id);
    document.getElementById("text")?.focus();
    told(done.told);
  } catch (error) {
    leave();
    wrong(error.message);
  }
}

/** Not now. */
export async function decline() {
  const id = offered();
  if (!id) return;
  try {
    const done = await act(`/kcc/conversations/${encodeURIComponent(id)}/decline`);
    leave();
    told(done.told);
  } catch (error) {
    wrong(error.message);
  }
}

function leave() {
  const focused = place.contains(document.activeElement);
  place.replaceChildren();
  said.textContent = "";
  shown = "";
  if (focused) document.getElementById("middle").focus();
}

/** Listen to its buttons. */
export function start() {
  place.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.id === "offer-accept") accept();
    if (button?.id === "offer-decline") decline();
  });
  say();
}
