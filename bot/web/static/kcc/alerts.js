/** New work is told: by a sound, by the browser, and by the title of the tab. */

import { current } from "./conversation.js";

const TITLE = document.title;
const AGENT = document.body.dataset.agent;

let known = null;
let told = "";
let audio = null;

const is = (name) => kept(`kcc-${name}:${AGENT}`) === "on";

function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // a browser that keeps nothing: the switches are off
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // it lives as long as the page then
  }
}

/** Two short tones. */
function beep() {
  audio ??= new AudioContext();
  audio.resume();
  for (const [at, pitch] of [[0, 660], [0.18, 880]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, audio.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.2, audio.currentTime + at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + at + 0.15);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.16);
  }
}

/** What an agent has seen of their own conversations; the one on the screen of a page in sight is read. */
function unread() {
  let count = 0;
  for (const card of document.querySelectorAll('[data-list="own"] .card')) {
    const name = `kcc-seen:${AGENT}:${card.dataset.open}`;
    const last = Number(card.dataset.last);
    if (card.dataset.open === current() && document.visibilityState === "visible") keep(name, String(last));
    const isNew = last > Number(kept(name) ?? 0) && card.querySelector("[data-new]") !== null;
    card.classList.toggle("card--unread", isNew);
    count += isNew;
  }
  return count;
}

/** Look at the board: count in the title, and tell what is new. What is offered waits in the queue: it is counted. */
export function look() {
  const offer = document.querySelector('[data-offer]:not([data-offer=""])');
  const queue = [...document.querySelectorAll('[data-list="queue"] .card')].map((card) => card.id);
  const lines = [...document.querySelectorAll('[data-list="own"] .card')].map((card) => `${card.id}:${card.dataset.last}`);
  const waiting = Number(document.querySelector("[data-waiting]").dataset.waiting) + unread();
  const title = offer ? `Nieuw gesprek voor u – ${TITLE}` : TITLE;
  document.title = waiting ? `(${waiting}) ${title}` : title;
  const isOffered = offer !== null && offer.dataset.key !== told;
  told = offer?.dataset.key ?? "";
  const now = new Set([...queue, ...lines]);
  const arrived = known && queue.some((one) => !known.has(one));
  const written = known && lines.some((one) => !known.has(one) && known.has(one.split(":")[0]));
  const away = document.visibilityState !== "visible";
  known = new Set([...now, ...lines.map((one) => one.split(":")[0])]);
  if (isOffered) tell(`Nieuw gesprek voor u: ${offer.dataset.topic}.`);
  else if (arrived) tell("Er wacht iemand in de rij.");
  else if (written && (away || unread())) tell("Een bewoner schreef in uw gesprek.");
}

function tell(words) {
  if (is("sound")) beep();
  if (is("notify") && Notification.permission === "granted" && document.visibilityState !== "visible") {
    show(words);
  }
}

/** One at a time stands there; the next takes its place, and is shown again. */
function show(words) {
  let note;
  try {
    note = new Notification("KCC", { body: words, tag: "kcc", renotify: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return; // browsers of telephones have them only for apps: the sound and the title tell it
  }
  note.onclick = () => {
    window.focus();
    note.close();
  };
}

/** Set the switches. */
export function start() {
  for (const name of ["sound", "notify"]) {
    const box = document.getElementById(name);
    box.checked = is(name);
    box.addEventListener("change", async () => {
      if (name === "notify" && box.checked && (await Notification.requestPermission()) !== "granted") {
        box.checked = false;
        document.getElementById("notify-wrong").textContent = "Uw browser laat geen meldingen toe. Zet ze aan bij de instellingen van de browser.";
      }
      keep(`kcc-${name}:${AGENT}`, box.checked ? "on" : "off");
      if (name === "sound" && box.checked) beep();
    });
  }
  document.addEventListener("visibilitychange", look);
}
