/** The web chat interface over HTTP. Every failure is one of three errors. */

/** The server does not know this session (any more). */
export class UnknownSession extends Error {
  constructor(token) {
    super("unknown session");
    this.token = token;
  }
}

/** The server will never take this message. */
export class Refusal extends Error {}

/** No answer, or none that counts: the same again later is right. `wait` in seconds, where the server says so. */
export class Unreachable extends Error {
  constructor(message, wait = 0) {
    super(message);
    this.wait = wait;
  }
}

const ANSWER_WITHIN = 15_000;
const SILENCE = 45_000; // three heartbeats

export class Api {
  /** Open a session; its token. */
  async open() {
    const response = await this.#call("/chat/sessions", { method: "POST" });
    return (await read(response)).token;
  }

  /** Hand over one message; its id. The same `client_id` is taken once, however often it is sent. */
  async send(token, { client_id, text, choice }) {
    const body = JSON.stringify(choice ? { choice, client_id } : { text, client_id });
    const headers = { "Content-Type": "application/json" };
    const response = await this.#call("/chat/messages", { method: "POST", headers, body }, token);
    return (await read(response)).id;
  }

  /** Say that the resident types. */
  async typing(token) {
    await this.#call("/chat/typing", { method: "POST" }, token);
  }

  /** What was said after a message: `{messages, owner, typing}`. */
  async messages(token, after) {
    const query = after ? `?after=${encodeURIComponent(after)}` : "";
    return read(await this.#call(`/chat/messages${query}`, {}, token));
  }

  /** The stream of events `{name, data}` until it ends or `signal` aborts it; null for each heartbeat. */
  async *events(token, after, signal) {
    const ending = new AbortController();
    const end = () => ending.abort();
    signal.addEventListener("abort", end, { once: true });
    let timer = setTimeout(end, SILENCE);
    const headers = { Accept: "text/event-stream", ...(after ? { "Last-Event-ID": after } : {}) };
    try {
      const response = await this.#call("/chat/events", { headers, signal: ending.signal }, token);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read().catch(unreachable);
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(end, SILENCE);
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) yield parse(block);
        if (blocks.length === 0) yield null;
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      end();
    }
  }

  async #call(url, options, token) {
    const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const signal = options.signal ?? AbortSignal.timeout(ANSWER_WITHIN);
    const response = await fetch(url, { ...options, headers, signal, cache: "no-store" }).catch(unreachable);
    if (response.ok) return response;
    if (response.status === 401) throw new UnknownSession(token);
    if (response.status >= 500 || response.status === 429 || response.status === 408 || response.status === 404) {
      throw new Unreachable(`status ${response.status}`, Number(response.headers.get("Retry-After")) || 0);
    }
    throw new Refusal(`status ${response.status}`);
  }
}

async function read(response) {
  return response.json().catch(unreachable);
}

function unreachable(error) {
  throw new Unreachable(error.name);
}

function parse(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).trim());
  }
  if (data.length === 0) return null;
  try {
    return { name, data: JSON.parse(data.join("\n")) };
  } catch {
    return null;
  }
}
