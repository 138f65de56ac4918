/** What this browser keeps: the session and what was not sent yet; the draft belongs to one tab. */

const TOKEN = "klaartje.token";
const QUEUE = "klaartje.queue";
const DRAFT = "klaartje.draft";

/** A storage that works where the browser allows none: then nothing is kept after a reload. */
class Kept {
  #storage;
  #memory = new Map();

  constructor(find) {
    try {
      this.#storage = find();
      this.#storage.getItem(TOKEN);
    } catch {
      this.#storage = null;
    }
  }

  get(key) {
    return this.#memory.get(key) ?? this.#storage?.getItem(key) ?? null;
  }

  set(key, value) {
    this.#memory.delete(key);
    try {
      if (!this.#storage) throw new DOMException("no storage");
      this.#storage.setItem(key, value);
    } catch {
      this.#memory.set(key, value);
    }
  }

  remove(key) {
    this.#memory.delete(key);
    this.#storage?.removeItem(key);
  }
}

export class Store {
  #local = new Kept(() => window.localStorage);
  #session = new Kept(() => window.sessionStorage);

  get token() {
    return this.#local.get(TOKEN);
  }

  set token(value) {
    if (value === null) this.#local.remove(TOKEN);
    else this.#local.set(TOKEN, value);
  }

  /** Messages that the server has not acknowledged, oldest first. */
  get queue() {
    try {
      const items = JSON.parse(this.#local.get(QUEUE) ?? "[]");
      return Array.isArray(items) ? items.filter((item) => item && typeof item.client_id === "string") : [];
    } catch {
      return [];
    }
  }

  add(item) {
    this.#local.set(QUEUE, JSON.stringify([...this.queue, item]));
  }

  drop(clientId) {
    this.#local.set(QUEUE, JSON.stringify(this.queue.filter((item) => item.client_id !== clientId)));
  }

  get draft() {
    return this.#session.get(DRAFT) ?? "";
  }

  set draft(text) {
    this.#session.set(DRAFT, text);
  }

  /** Forget the conversation. What is not sent yet goes with it. */
  clear() {
    this.#local.remove(TOKEN);
    this.#local.remove(QUEUE);
  }

  /** Call back when another tab began another conversation. */
  onOtherConversation(callback) {
    window.addEventListener("storage", (event) => {
      if (event.key === TOKEN && event.newValue !== event.oldValue) callback();
    });
  }
}
