/** The line to the server: it says which part changed. A lost line comes back by itself, and then all is fetched. */

const WAITS = [500, 1000, 2000, 4000, 8000];

let source = null;
let tries = 0;
let timer = 0;

/** Listen, for a conversation or none; `on` has `own`, `queue`, `thread` and `typing`. Called again for another conversation. */
export function listen(conversation, on) {
  clearTimeout(timer);
  source?.close();
  source = new EventSource(`/kcc/events${conversation ? `?conversation=${encodeURIComponent(conversation)}` : ""}`);
  for (const name of ["own", "queue", "thread", "typing"]) source.addEventListener(name, () => on[name]());
  source.addEventListener("open", () => {
    tries = 0;
    offline("");
  });
  source.addEventListener("error", () => {
    offline("Geen verbinding. De pagina probeert het steeds opnieuw.");
    source.close();
    timer = setTimeout(() => listen(conversation, on), WAITS[Math.min(tries++, WAITS.length - 1)]);
  });
}

function offline(words) {
  const line = document.getElementById("offline");
  if (line.textContent !== words) line.textContent = words;
}
