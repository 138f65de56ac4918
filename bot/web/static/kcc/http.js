/** Talking with the server: parts as HTML, acts as JSON with the token of the session. */

const TOKEN = document.querySelector('meta[name="csrf"]')?.content ?? "";

/** What the server would not do; `message` is Dutch and for the agent. */
export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** A part of the page. */
export async function part(url, body) {
  const answer = await ask(url, body);
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  return holder.content;
}

/** Do something; what the server says about it. */
export async function act(url, body = {}) {
  return (await ask(url, body)).json();
}

async function ask(url, body) {
  const options = body
    ? { method: "POST", body: JSON.stringify(body), headers: { "X-CSRF-Token": TOKEN, "Content-Type": "application/json" } }
    : { headers: { "X-CSRF-Token": TOKEN } };
  let answer;
  try {
    answer = await fetch(url, { ...options, credentials: "same-origin", redirect: "error" });
  } catch {
    throw new Refusal("Er is geen verbinding. Probeer het zo nog eens.", 0);
  }
  if (answer.status === 401) location.assign("/inloggen");
  if (!answer.ok) throw new Refusal(await reason(answer), answer.status);
  return answer;
}

async function reason(answer) {
  const unknown = "Dit lukte niet. Probeer het zo nog eens.";
  if (answer.status >= 500) return unknown;
  try {
    return (await answer.json()).error ?? unknown;
  } catch {
    return unknown;
  }
}

/** The same, one at a time; what is asked for meanwhile is done once after it. */
export function oneAtATime(work) {
  let running = null;
  let again = false;
  async function untilDone() {
    do {
      again = false;
      await work();
    } while (again);
  }
  return () => {
    if (running) again = true;
    else running = untilDone().finally(() => (running = null));
    return running;
  };
}
