/** One key for each act, never while somebody types. */

import { perform, show } from "./dialogs.js";
import { refresh } from "./conversation.js";
import { wrong } from "./notices.js";
import { accept, decline } from "./offers.js";

const DIALOGS = { q: "quick", i: "note", b: "return", x: "close", o: "handover", "?": "help", k: "knowledge" };
const MINE = new Set(["b", "x", "o"]);

function isTyping(target) {
  return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
}

/** Go to the next or the one before in the list where the focus is, else to the first of the board. */
function move(step) {
  const all = [...document.querySelectorAll("#board .card, #found .card")];
  if (!all.length) return;
  const here = all.indexOf(document.activeElement);
  const next = here < 0 ? 0 : Math.min(all.length - 1, Math.max(0, here + step));
  all[next].focus();
}

function press(event) {
  const key = event.key;
  if (key === "a") return accept();
  if (key === "w") return decline();
  if (key === "n") return run("next");
  if (key === "t") return document.getElementById("take") ? run("take") : undefined;
  if (key === "j" || (key === "k" && document.activeElement?.closest("[data-list]"))) return move(key === "j" ? 1 : -1);
  if (key === "r") return document.getElementById("text")?.focus();
  if (key === "/") return document.getElementById("search-text").focus();
  if (MINE.has(key) && !document.querySelector(`[data-dialog="${DIALOGS[key]}"]`)) return undefined;
  if (key === "i" && !document.body.dataset.conversation) return undefined;
  return show(DIALOGS[key]);
}

async function run(name) {
  try {
    await perform(name);
  } catch (error) {
    wrong(error.message);
    await refresh();
  }
}

/** Listen. */
export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key !== "j" && event.key !== "k") return;
    if (event.key === "Escape" && event.target.id === "text") {
      document.getElementById("middle").focus();
      return;
    }
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (!"awntjkr/?qibxo".includes(event.key) || event.key.length !== 1) return;
    event.preventDefault();
    press(event);
  });
}
