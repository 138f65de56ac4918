/** The resident types: shown at the foot of the conversation for some seconds, and read out once a message. */

import { onParts } from "./conversation.js";

const STAYS = 6_000;

let timer = 0;
let last = null;
let said = false;

/** The resident types now. */
export function show() {
  const line = document.getElementById("types");
  if (!line) return;
  line.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(hide, STAYS);
  if (said) return;
  said = true;
  document.getElementById("types-said").textContent = "De bewoner typt.";
}

function hide() {
  clearTimeout(timer);
  const line = document.getElementById("types");
  if (!line) return;
  line.hidden = true;
  document.getElementById("types-said").textContent = "";
}

/** What was typed is there: then nobody types. */
export function start() {
  onParts((other) => {
    const newest = [...document.querySelectorAll("#lines .line--resident")].at(-1)?.dataset.seq;
    if (!other && newest === last) return;
    last = newest;
    said = false;
    hide();
  });
}
