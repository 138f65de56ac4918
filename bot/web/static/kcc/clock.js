/** Times that count: how long somebody waits, and how long a window is still open. */

function passed(since) {
  const seconds = Math.max(0, Math.floor((Date.now() - new Date(since)) / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (!hours) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  if (hours < 24) return `${hours} u ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} u`;
}

function left(until) {
  const minutes = Math.max(0, Math.floor((new Date(until) - Date.now()) / 60_000));
  const tail = minutes % 60 === 1 ? "1 minuut" : `${minutes % 60} minuten`;
  return minutes >= 60 ? `${Math.floor(minutes / 60)} uur en ${tail}` : tail;
}

function seconds(until) {
  const count = Math.max(0, Math.floor((new Date(until) - Date.now()) / 1000));
  return count === 1 ? "1 seconde" : `${count} seconden`;
}

function tick() {
  for (const one of document.querySelectorAll("[data-since]")) set(one, passed(one.dataset.since));
  for (const one of document.querySelectorAll("[data-until]")) set(one, left(one.dataset.until));
  for (const one of document.querySelectorAll("[data-ends]")) set(one, seconds(one.dataset.ends));
}

function set(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Count from now on. */
export function start() {
  tick();
  setInterval(tick, 1000);
}
