/** The message that an agent writes: its draft is kept in this browser, and it is sent once. */

import { act } from "./http.js";
import { current, lookAtEnd, onParts, refresh } from "./conversation.js";
import { told, wrong } from "./notices.js";

const TYPING = 2_000; // the server lets through what the channel can use

let source = null;
let message = null;
let typed = 0;

const field = () => document.getElementById("text");
const slot = () => `kcc-draft:${document.body.dataset.agent}:${current()}`;

/** Put words in the message where the cursor is; `from` names the article that they are of. */
export function insert(words, from = null) {
  const text = field();
  if (!text) {
    wrong("Neem eerst een gesprek. Dan kunt u een bericht schrijven.");
    return;
  }
  const before = text.value.slice(0, text.selectionStart);
  const gap = before && !/\s$/.test(before) ? "\n\n" : "";
  text.setRangeText(gap + words, text.selectionStart, text.selectionEnd, "end");
  if (from) source = from;
  keep();
  text.focus();
}

function keep() {
  const text = field();
  if (!text.value) source = null;
  try {
    if (text.value) localStorage.setItem(slot(), JSON.stringify({ text: text.value, source }));
    else localStorage.removeItem(slot());
  } catch {
    // a browser that keeps nothing: the draft lives as long as the page
  }
  grow(text);
  show();
}

/** A draft that was sent, also of a conversation that is not on the screen any more. */
function forget(name, words) {
  try {
    if (JSON.parse(localStorage.getItem(name) ?? "null")?.text === words) localStorage.removeItem(name);
  } catch {
    // a browser that keeps nothing has nothing to forget
  }
}

function grow(text) {
  text.rows = Math.min(12, Math.max(3, text.value.split("\n").length));
}

function show() {
  const line = document.getElementById("source");
  if (line) line.textContent = source ? `Uit artikel: ${source.title}.` : "";
}

function restore() {
  const text = field();
  source = null;
  message = null;
  if (!text) return;
  try {
    const draft = JSON.parse(localStorage.getItem(slot()) ?? "null");
    text.value = draft?.text ?? "";
    source = draft?.source ?? null;
  } catch {
    text.value = "";
  }
  grow(text);
  show();
}

async function send(form) {
  const text = field();
  if (!text.value.trim()) return;
  const words = text.value;
  const here = slot();
  // The same id until it is in: after a lost answer it is not said twice.
  if (message?.words !== words) message = { words, id: crypto.randomUUID?.() ?? uuid() };
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const body = { text: words, id: message.id, hold: form.dataset.hold === "true" };
    if (source) Object.assign(body, { article: source.article, revision: source.revision });
    const done = await act(`/kcc/conversations/${encodeURIComponent(current())}/send`, body);
    message = null;
    forget(here, words);
    if (slot() === here && field()?.value === words) {
      field().value = ""; // the field itself may be a new one by now
      keep();
    }
    if (done.told) told(done.told);
    lookAtEnd();
    await refresh();
  } catch (error) {
    wrong(error.message);
    if (error.status === 409) await refresh();
  } finally {
    button.disabled = false;
    // Who went elsewhere meanwhile is left there.
    if (document.activeElement === document.body || form.contains(document.activeElement)) field()?.focus();
  }
}

function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function typing() {
  if (Date.now() - typed < TYPING) return;
  typed = Date.now();
  act(`/kcc/conversations/${encodeURIComponent(current())}/typing`).catch(() => {
    // only a sign of life: the message itself tells when there is no connection
  });
}

/** Listen to what is typed. */
export function start() {
  document.addEventListener("input", (event) => {
    if (event.target !== field()) return;
    keep();
    if (event.target.value) typing();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "composer") return;
    event.preventDefault();
    send(event.target);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target === field() && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
  });
  window.addEventListener("storage", (event) => {
    if (event.key === slot() && document.activeElement !== field()) restore();
  });
  onParts((other, changed) => {
    if (other || changed) restore();
  });
}
