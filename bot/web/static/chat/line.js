/** One message on the page: who, when, what, and what one can do with it. */

import { element, link, marked, plain } from "./markup.js";

const NAMES = { bot: "Klaartje", agent: "Medewerker", resident: "U", system: "Mededeling" };
const STATES = { sending: "Wordt verstuurd", waiting: "Wacht op verbinding", sent: "" };
const ZONE = { timeZone: "Europe/Amsterdam" };
const CLOCK = new Intl.DateTimeFormat("nl-NL", { ...ZONE, hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("nl-NL", { ...ZONE, weekday: "long", day: "numeric", month: "long" });

/** A message of the transcript. `choose(choice)` is called for a pressed button. */
export function messageLine(message, choose) {
  const from = NAMES[message.from] ? message.from : "system";
  const line = frame(from, message.at);
  const bubble = line.querySelector(".bubble");
  bubble.append(from === "resident" ? plain(message.text) : marked(message.text));
  if (message.links?.length) bubble.append(links(message.links));
  if (message.choices?.length) line.append(choices(message.choices, choose));
  line.dataset.id = message.id;
  return line;
}

/** A message of the resident that the server has not acknowledged yet. */
export function ownLine(item) {
  const line = frame("resident", item.at);
  line.querySelector(".bubble").append(plain(item.text ?? item.label));
  const state = element("span", "line__state");
  state.setAttribute("aria-live", "off");
  line.querySelector(".line__meta").append(state);
  line.dataset.client = item.client_id;
  return line;
}

/** Show how far an own message is: `sending`, `waiting` or `sent`. */
export function setState(line, state) {
  line.dataset.state = state;
  line.querySelector(".line__state").textContent = STATES[state];
}

function frame(from, at) {
  const line = element("div", `line line--${from}`);
  const meta = element("p", "line__meta");
  meta.append(element("span", "line__who", NAMES[from]), element("span", "visually-hidden", ", "), time(at));
  line.append(meta, element("div", "bubble"));
  return line;
}

function time(at) {
  const moment = new Date(at);
  const made = element("time", "line__time", CLOCK.format(moment));
  made.dateTime = at;
  const day = DAY.format(moment);
  if (day !== DAY.format(new Date())) made.textContent = `${day}, ${CLOCK.format(moment)}`;
  return made;
}

function links(all) {
  const list = element("ul", "links");
  for (const { label, url } of all) {
    const item = element("li", "links__item");
    item.dir = "auto";
    item.append(link(label, url));
    list.append(item);
  }
  return list;
}

function choices(all, choose) {
  const group = element("div", "choices");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Keuzes");
  for (const choice of all) {
    const button = element("button", "nl-button nl-button--secondary choices__choice");
    button.type = "button";
    const label = element("span", "nl-button__label", choice.label);
    label.dir = "auto";
    button.append(label);
    button.addEventListener("click", (event) => {
      if (event.detail < 2) choose(choice); // the second of a double click may land on another button
    });
    group.append(button);
  }
  return group;
}
