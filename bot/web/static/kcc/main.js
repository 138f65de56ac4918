/** The console: parts that the server renders, fetched again when it says that they changed. */

import * as alerts from "./alerts.js";
import * as clock from "./clock.js";
import * as composer from "./composer.js";
import * as conversation from "./conversation.js";
import * as dialogs from "./dialogs.js";
import * as keys from "./keys.js";
import * as offers from "./offers.js";
import * as types from "./types.js";
import { act, oneAtATime, part } from "./http.js";
import { listen } from "./live.js";
import { told, wrong } from "./notices.js";
import { replace } from "./parts.js";

const SIGN_OF_LIFE = 30_000;

/** Fetch a part of the lists, and put it where it belongs. */
async function fetched(path, show) {
  try {
    show(await part(path));
  } catch (error) {
    if (error.status) wrong(error.message); // without a connection the line says so itself
    return;
  }
  mark();
  alerts.look();
}

const own = oneAtATime(() =>
  fetched("/kcc/parts/own", (fresh) => {
    replace(document.getElementById("own"), fresh.querySelector('[data-fresh="own"]'));
    offers.show(fresh.querySelector('[data-fresh="offer"]'));
    const { presence } = document.querySelector("#own [data-presence]").dataset;
    for (const button of document.querySelectorAll("[data-presence]:is(button)")) {
      button.setAttribute("aria-pressed", String(button.dataset.presence === presence));
    }
  }),
);

const queue = oneAtATime(() =>
  fetched("/kcc/parts/queue", (fresh) => {
    const holder = document.createElement("div");
    holder.append(fresh);
    replace(document.getElementById("queue"), holder);
  }),
);

/** The card of the conversation on the screen. */
function mark() {
  for (const card of document.querySelectorAll(".card")) {
    if (card.dataset.open === conversation.current()) card.setAttribute("aria-current", "page");
    else card.removeAttribute("aria-current");
  }
}

function present(state) {
  return act("/kcc/presence", state ? { state } : {});
}

function signOfLife() {
  present().catch(() => {
    // the line to the server tells it when there is no connection
  });
}

function lists() {
  const button = document.getElementById("lists");
  button.addEventListener("click", () => {
    const shown = document.body.classList.toggle("desk--lists");
    button.setAttribute("aria-expanded", String(shown));
    button.textContent = shown ? "Verberg de rij" : "Toon de rij";
  });
  conversation.onParts((other) => {
    if (!other || !document.body.classList.contains("desk--lists")) return;
    button.click();
  });
}

document.getElementById("presence").addEventListener("click", async (event) => {
  const state = event.target.closest("button")?.dataset.presence;
  if (!state) return;
  try {
    told((await present(state)).told);
    await own();
  } catch (error) {
    wrong(error.message);
  }
});

conversation.onParts((other) => {
  if (!other) return;
  listen(conversation.current(), { own, queue, thread: conversation.refresh, typing: types.show });
  mark();
  alerts.look();
});
lists();
composer.start();
dialogs.start();
keys.start();
offers.start();
types.start();
alerts.start();
clock.start();
conversation.start();
signOfLife();
setInterval(signOfLife, SIGN_OF_LIFE);
