/** Dialogs and what is done in them. */

import { act, part } from "./http.js";
import { current, open, refresh, side } from "./conversation.js";
import { insert } from "./composer.js";
import { told, wrong } from "./notices.js";

const CHANGES = ["return", "close", "handover"];

/** Show a dialog, where what it does can be done now. */
export async function show(name) {
  const dialog = document.getElementById(`dialog-${name}`);
  if (!dialog || dialog.open) return;
  if (name === "handover") {
    try {
      document.getElementById("handover-who").replaceChildren(await part("/kcc/parts/colleagues"));
    } catch (error) {
      wrong(error.message);
      return;
    }
  }
  for (const line of dialog.querySelectorAll(".form__wrong")) line.textContent = "";
  dialog.showModal();
  dialog.querySelector("input, select, textarea, [type=submit]")?.focus();
}

/** Do an act on the conversation on the screen. */
export async function perform(name, body = {}) {
  const done = await act(name === "next" ? "/kcc/next" : `/kcc/conversations/${encodeURIComponent(current())}/${name}`, body);
  if (done.conversation) {
    await open(done.conversation);
    document.getElementById("text")?.focus();
  } else await Promise.all([refresh(), name === "note" ? side() : null]);
  if (done.told) told(done.told);
}

async function submit(form) {
  const dialog = form.closest("dialog");
  const line = form.querySelector(".form__wrong");
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    await perform(form.dataset.act, { ...Object.fromEntries(new FormData(form)) });
    form.reset();
    dialog?.close();
    if (CHANGES.includes(form.dataset.act)) document.getElementById("middle").focus();
  } catch (error) {
    if (line) line.textContent = error.message;
    else wrong(error.message);
  } finally {
    button.disabled = false;
  }
}

async function look(form, url, found) {
  const text = form.querySelector("input").value;
  const holder = document.getElementById(found);
  try {
    holder.replaceChildren(await part(url, { text }));
  } catch (error) {
    holder.textContent = error.message;
  }
}

function filter(text) {
  const wanted = text.trim().toLocaleLowerCase("nl");
  let count = 0;
  for (const item of document.querySelectorAll("#quick-list > li")) {
    item.hidden = !item.textContent.toLocaleLowerCase("nl").includes(wanted);
    count += !item.hidden;
  }
  document.getElementById("quick-count").textContent = `${count} gevonden`;
}

/** Listen to buttons and forms. */
export function start() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.dialog) show(button.dataset.dialog);
    if ("shut" in button.dataset) button.closest("dialog").close();
    if (button.dataset.do) perform(button.dataset.do).catch((error) => (wrong(error.message), refresh()));
    if (button.dataset.insert) {
      const { article, revision, title } = button.dataset;
      button.closest("dialog")?.close();
      insert(button.dataset.insert, article ? { article, revision: Number(revision), title } : null);
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.act) submit(form);
    else if (form.id === "search") look(form, "/kcc/parts/search", "found");
    else if (form.id === "knowledge") look(form, "/kcc/parts/knowledge", "knowledge-found");
    else return;
    event.preventDefault();
  });
  document.getElementById("quick-filter").addEventListener("input", (event) => filter(event.target.value));
  document.getElementById("quick-filter").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    document.querySelector("#quick-list > li:not([hidden]) button")?.click();
  });
}
