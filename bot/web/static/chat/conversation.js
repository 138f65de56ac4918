/** The conversation: sends in order, once each, and follows what is said. Survives lost connections and restarts. */

import { Refusal, UnknownSession, Unreachable } from "./api.js";

const TICK = 5_000;
const STREAM_QUIET = 25_000;
const LONGEST_WAIT = 15;
const TYPING_AGAIN = 3_000;

export class Conversation {
  #api;
  #store;
  #view;
  #owner = "bot";
  #agent = { name: "", typing: false };
  #typed = 0;
  #cursor = null; // the last line that is surely final: residents' own lines may still wait for their turn
  #outstanding = false;
  #failures = 0;
  #heard = 0;
  #stop = new AbortController();
  #sleepers = new Set();
  #flushing = false;
  #syncing = null;
  #again = false;

  constructor(api, store, view) {
    this.#api = api;
    this.#store = store;
    this.#view = view;
  }

  /** Show the conversation and keep it going. */
  start() {
    this.#view.start({
      draft: this.#store.draft,
      onDraft: (text) => (this.#store.draft = text),
      onTyping: () => this.#types(),
      onText: (text) => this.#say({ text }),
      onChoice: ({ id, label }) => this.#say({ choice: id, label }),
      onHuman: () => this.#human(),
      onRestart: () => this.#restart(),
    });
    const hurry = () => this.#hurry();
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", () => document.hidden || hurry());
    this.#store.onOtherConversation(() => this.#begin());
    setInterval(() => this.#tick(), TICK);
    this.#begin();
  }

  // -- saying ------------------------------------------------------------------------------------------------

  #say(words) {
    const item = { client_id: uuid(), at: new Date().toISOString(), ...words };
    this.#store.add(item);
    this.#view.own(item);
    this.#flush();
  }

  #human() {
    if (this.#owner === "waiting") return this.#view.tell("U wacht al op een medewerker.");
    if (this.#owner === "agent") return this.#view.tell("U hebt al contact met een medewerker.");
    return this.#say({ choice: "human", label: "Spreek een medewerker" });
  }

  /** Tell an agent who may look that the resident types; the bot has no use for it. */
  #types() {
    const heard = this.#owner === "agent" || this.#owner === "waiting";
    const { token } = this.#store;
    if (!heard || !token || Date.now() - this.#typed < TYPING_AGAIN) return;
    this.#typed = Date.now();
    this.#api.typing(token).catch(() => {}); // only a sign of life: the message itself tells what is wrong
  }

  /** Send what waits, oldest first; one at a time keeps the order. */
  async #flush() {
    if (this.#flushing) return;
    this.#flushing = true;
    for (let item; (item = this.#store.queue[0]); ) {
      try {
        const token = this.#store.token ?? (await this.#open());
        const id = await this.#api.send(token, item);
        if (token !== this.#store.token) continue; // another conversation began meanwhile
        this.#reached();
        this.#store.drop(item.client_id);
        this.#view.accepted(item.client_id, id);
        this.#outstanding = true;
        this.#look();
      } catch (error) {
        if (error instanceof UnknownSession) this.#expired(error.token);
        else if (error instanceof Refusal) {
          this.#store.drop(item.client_id);
          this.#view.refused(item);
        } else if (error instanceof Unreachable) await this.#pause(error.wait, this.#stop.signal);
        else throw error;
      }
    }
    this.#flushing = false;
  }

  // -- following ---------------------------------------------------------------------------------------------

  /** Listen until `signal` aborts: the stream says that there is something, the transcript says what. */
  async #follow(signal) {
    while (!signal.aborted) {
      try {
        const token = this.#store.token ?? (await this.#open());
        await this.#sync();
        for await (const event of this.#api.events(token, this.#cursor, signal)) {
          this.#reached();
          this.#heard = Date.now();
          if (event?.name === "typing") {
            const { owner, typing, agent } = event.data;
            this.#agent = { name: agent ?? "", typing: owner === "agent" && typing };
            this.#state(event.data);
            this.#again = true; // an answer that is on its way now may tell of the time before
          }
          if (event?.name === "message" && !this.#view.has(event.data.id)) this.#look();
        }
        throw new Unreachable("the stream ended");
      } catch (error) {
        if (signal.aborted) return;
        this.#agent.typing = false; // nobody would tell that it ended
        this.#state({ typing: false });
        if (error instanceof UnknownSession) this.#expired(error.token);
        else if (error instanceof Unreachable || error instanceof Refusal) await this.#pause(error.wait ?? 0, signal);
        else throw error;
      }
    }
  }

  /** Fetch what is new. Whoever asks while this goes on gets one more look after it. */
  #sync() {
    if (this.#syncing) {
      this.#again = true;
      return this.#syncing;
    }
    this.#syncing = (async () => {
      try {
        do {
          this.#again = false;
          const token = this.#store.token;
          if (!token) return;
          const found = await this.#api.messages(token, this.#cursor);
          if (token !== this.#store.token) continue;
          this.#reached();
          this.#show(found);
        } while (this.#again);
      } finally {
        this.#syncing = null;
      }
    })();
    return this.#syncing;
  }

  /** Fetch what is new, where a failure is no news: the stream finds out by itself. */
  async #look() {
    try {
      await this.#sync();
    } catch (error) {
      if (error instanceof UnknownSession) this.#expired(error.token);
      else if (!(error instanceof Unreachable || error instanceof Refusal)) throw error;
    }
  }

  #show({ messages, owner, typing }) {
    this.#view.lines(messages, this.#cursor);
    const last = messages.findLast((message) => message.from !== "resident");
    if (last) this.#cursor = last.id;
    if (messages.length) this.#outstanding = messages.at(-1).from === "resident";
    if (messages.some((message) => message.from === "agent")) this.#agent.typing = false;
    this.#state({ owner, typing });
  }

  #state({ owner, typing }) {
    if (owner) this.#owner = owner;
    // That an agent types, only the stream knows: the transcript does not keep it.
    if (this.#owner === "agent") this.#view.state({ owner: "agent", ...this.#agent });
    else this.#view.state({ owner: this.#owner, typing });
  }

  // -- sessions ----------------------------------------------------------------------------------------------

  #opening = null;

  #open() {
    this.#opening ??= this.#api
      .open()
      .then((token) => (this.#store.token = token))
      .finally(() => (this.#opening = null));
    return this.#opening;
  }

  /** The server does not know a session any more. A late word about one that we left already is no news. */
  #expired(token) {
    if (!this.#store.token || token !== this.#store.token) return;
    this.#store.token = null;
    this.#cursor = null;
    this.#view.expired();
    this.#begin({ keep: true });
  }

  async #restart() {
    const { token } = this.#store;
    if (token && this.#owner === "waiting") {
      // nobody should wait for someone who has gone
      this.#api.send(token, { client_id: uuid(), choice: "bot" }).catch(() => {});
    }
    this.#store.clear();
    this.#begin();
  }

  /** Follow the conversation that the store names now; a new one where it names none. */
  #begin({ keep = false } = {}) {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#cursor = null;
    this.#outstanding = false;
    if (!keep) this.#view.clear();
    this.#state({ owner: "bot", typing: false });
    for (const item of keep ? [] : this.#store.queue) this.#view.own(item);
    this.#follow(this.#stop.signal);
    this.#flush();
  }

  // -- being connected ---------------------------------------------------------------------------------------

  #reached() {
    this.#failures = 0;
    this.#view.connected(true);
  }

  /** Wait before trying again: longer each time, at once when there is reason for hope. */
  async #pause(wait, signal) {
    this.#view.connected(false);
    const backoff = Math.min(LONGEST_WAIT, 2 ** this.#failures++ / 2) * (0.75 + Math.random() / 2);
    await new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, 1000 * Math.max(wait, backoff));
      this.#sleepers.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #hurry() {
    this.#failures = 0;
    for (const wake of this.#sleepers) wake();
    if (this.#store.token) this.#look();
  }

  /** Where a proxy holds the stream back, answers still come: by asking. */
  #tick() {
    const quiet = Date.now() - this.#heard > STREAM_QUIET;
    if (this.#store.token && !document.hidden && (quiet || (this.#outstanding && this.#owner === "bot"))) this.#look();
  }
}

/** A random id; `crypto.randomUUID` exists only on https and localhost. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
