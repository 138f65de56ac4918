/** The conversation on the screen: opened, kept up to date, and scrolled. */

import { act, oneAtATime, part } from "./http.js";
import { merge, prepend, replace } from "./parts.js";
import { wrong } from "./notices.js";

const NEAR = 120;
const SIDE_WAIT = 3000;

/** Parts of the page that hold it. */
const place = (name) => document.querySelector(`[data-part="${name}"]`);

let atEnd = true;
let sideTimer = 0;
const watch = new ResizeObserver(() => atEnd && toEnd());
const followers = [];

/** The id of the conversation on the screen, or nothing. */
export function current() {
  return document.body.dataset.conversation ?? "";
}

/** Call `tell(other, changed)` when the parts are there or were fetched again; `other`: it is another conversation;
    `changed`: the composer is a new one. */
export function onParts(tell) {
  followers.push(tell);
}

/** Show a conversation; `pushed`: its address is there already. */
export async function open(id, { pushed = false } = {}) {
  let fresh;
  try {
    fresh = await part(`/kcc/parts/thread/${encodeURIComponent(id)}?opened=1`);
  } catch (error) {
    wrong(error.message);
    return;
  }
  if (!pushed && id !== current()) history.pushState({ id }, "", `/kcc/conversations/${id}`);
  document.body.dataset.conversation = id;
  document.body.classList.add("desk--open");
  for (const name of ["head", "lines", "composer", "side"]) {
    const old = place(name);
    old.replaceWith(fresh.querySelector(`[data-part="${name}"]`));
  }
  follow();
  for (const tell of followers) tell(true);
}

/** Fetch what is on the screen again. */
export const refresh = oneAtATime(async () => {
  try {
    if (current()) await fetchAgain();
  } catch (error) {
    if (error.status) wrong(error.message); // without a connection the line says so itself
  }
});

/** Fetch what stands beside it again. It says little new with each line, so not with each line. */
export const side = oneAtATime(async () => {
  clearTimeout(sideTimer);
  sideTimer = 0;
  const id = current();
  try {
    const fresh = await part(`/kcc/parts/side/${encodeURIComponent(id)}`);
    if (id === current()) replace(place("side"), fresh.querySelector('[data-part="side"]'));
  } catch (error) {
    if (error.status) wrong(error.message);
  }
});

async function fetchAgain() {
  const id = current();
  const fresh = await part(`/kcc/parts/thread/${encodeURIComponent(id)}`);
  if (id !== current()) return;
  if (!merge(document.getElementById("lines"), fresh.querySelector("#lines"))) {
    document.getElementById("older").replaceWith(fresh.querySelector("#older"));
  }
  if (atEnd) toEnd();
  replace(place("head"), fresh.querySelector('[data-part="head"]'));
  sideTimer ||= setTimeout(side, SIDE_WAIT);
  const composer = fresh.querySelector('[data-part="composer"]');
  const changed = composer.dataset.kind !== place("composer").dataset.kind;
  if (changed) {
    const typing = place("composer").contains(document.activeElement);
    place("composer").replaceWith(composer);
    if (typing) (document.getElementById("text") ?? document.getElementById("middle")).focus();
  } else {
    const until = composer.querySelector("[data-until]");
    const old = place("composer").querySelector("[data-until]");
    if (until && old && until.dataset.until !== old.dataset.until) old.parentElement.replaceWith(until.parentElement);
  }
  for (const tell of followers) tell(false, changed);
}

/** Who says something wants to see it. */
export function lookAtEnd() {
  atEnd = true;
}

function toEnd() {
  const log = document.getElementById("log");
  if (log) log.scrollTop = log.scrollHeight;
}

/** Keep the end in sight for who reads there, also when the composer grows. */
function follow() {
  const log = document.getElementById("log");
  atEnd = true;
  watch.disconnect();
  if (!log) return;
  log.addEventListener("scroll", () => (atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR), { passive: true });
  watch.observe(log);
  toEnd();
}

async function older(button) {
  const log = document.getElementById("log");
  button.disabled = true;
  try {
    const fresh = await part(`/kcc/parts/lines/${encodeURIComponent(current())}?before=${button.dataset.before}`);
    const list = fresh.querySelector("ol");
    const height = log.scrollHeight;
    const first = document.querySelector("#lines .line");
    prepend(document.getElementById("lines"), list);
    log.scrollTop += log.scrollHeight - height;
    button.dataset.before = list.dataset.before;
    if (!list.dataset.before) {
      if (document.activeElement === button) log.focus({ preventScroll: true });
      button.hidden = true;
    }
    first?.scrollIntoView({ block: "nearest" });
  } catch (error) {
    wrong(error.message);
  } finally {
    button.disabled = false;
  }
}

async function showFile(key) {
  const shown = window.open("", "_blank"); // at once: after the answer it would be a pop-up that nobody asked for
  try {
    const { url } = await act(`/kcc/files/${encodeURIComponent(key)}`);
    if (shown) {
      shown.opener = null;
      shown.location.replace(url);
    } else location.assign(url);
  } catch (error) {
    shown?.close();
    wrong(error.message);
  }
}

/** Listen to what is pressed in it. */
export function start() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-open]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      open(link.dataset.open).then(() => document.getElementById(document.getElementById("text") ? "text" : "middle").focus());
      return;
    }
    const button = event.target.closest("button");
    if (button?.id === "older") older(button);
    if (button?.dataset.file) showFile(button.dataset.file);
  });
  window.addEventListener("popstate", () => {
    const id = location.pathname.match(/^\/kcc\/conversations\/([^/]+)$/)?.[1];
    if (id) open(decodeURIComponent(id), { pushed: true });
    else location.reload();
  });
  follow();
  for (const tell of followers) tell(true);
}

