/** What stands above the composer: no connection, who one talks to, a word about what just happened. */

import { element } from "./markup.js";

const OFFLINE_AFTER = 2_000;

export class Notices {
  #page;
  #area;
  #call;
  #onBot;
  #timer = null;
  #owner = null;

  constructor(page, onBot) {
    this.#page = page;
    this.#area = page.getElementById("notices");
    this.#call = page.querySelector(".chat__call a");
    this.#onBot = onBot;
  }

  /** Say that the connection is gone, when it stays away for a while; and when it is back. */
  connected(yes) {
    if (!yes) {
      this.#timer ??= setTimeout(() => this.#offline(), OFFLINE_AFTER);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#page.getElementById("offline")) return;
    this.#put("offline", null);
    this.tell("De verbinding is er weer.");
  }

  /** Say who owns the conversation: `bot` needs no words. */
  owner(owner) {
    if (owner === this.#owner) return;
    this.#owner = owner;
    this.#put("owner", OWNERS[owner]?.(this.#onBot) ?? null);
  }

  /** One sentence; it stays until the next thing happens. */
  tell(text) {
    this.#put("told", text ? element("p", "dock__told", text) : null);
  }

  #offline() {
    const call = this.#call.cloneNode(true);
    const words = element("p", "nl-paragraph");
    words.append(element("strong", "", "Geen verbinding."), " Wat u typt, bewaren we. We versturen het zodra de ");
    words.append("verbinding terug is. U kunt ook bellen: ", call, ".");
    this.tell("");
    this.#put("offline", alert("warning", words));
  }

  #put(id, node) {
    this.#page.getElementById(id)?.remove();
    if (!node) return;
    node.id = id;
    this.#area.append(node);
  }
}

const OWNERS = {
  waiting: (onBot) => {
    const button = element("button", "nl-button nl-button--secondary", "Verder met Klaartje");
    button.type = "button";
    button.addEventListener("click", onBot);
    return alert("info", said("U wacht op een medewerker. Wat u nu typt, leest de medewerker straks."), button);
  },
  agent: () => alert("info", said("U praat nu met een medewerker.")),
  closed: () => alert("info", said("Dit gesprek is klaar. Hebt u nog een vraag? Typ die dan hieronder.")),
};

function alert(kind, ...content) {
  const made = element("div", `utrecht-alert utrecht-alert--${kind} notice`);
  made.append(...content);
  return made;
}

function said(text) {
  return element("p", "nl-paragraph", text);
}
