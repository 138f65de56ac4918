/** The form of an article: what was typed is looked at beside it, and a variable is put where the cursor was. */

const PAUSE = 700; // milliseconds without typing, before the text is looked at
const form = document.getElementById("article");
const view = document.getElementById("view");
const told = document.getElementById("told");
const insert = document.getElementById("insert");
const TEXTS = "textarea, #title";

let last = document.getElementById("answer");
let timer = null;
let asked = 0;

form.addEventListener("focusin", (event) => {
  if (event.target.matches(TEXTS)) last = event.target;
});
form.addEventListener("input", (event) => {
  if (event.target.id !== "variable") later();
});
insert.hidden = false;
insert.addEventListener("click", () => {
  write(last, last.selectionStart, last.selectionEnd, `{${document.getElementById("variable").value}}`);
});
document.getElementById("look").addEventListener("click", (event) => {
  event.preventDefault();
  look();
});
view.addEventListener("click", (event) => {
  const button = event.target.closest(".remark__do");
  if (button) replace(button.dataset);
});
ready();

function later() {
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
}

/** Ask the server how it looks. An answer that a newer question overtook is left. */
async function look() {
  clearTimeout(timer);
  const mine = ++asked;
  const headers = { "X-CSRF-Token": form.elements.csrf.value };
  let answer;
  try {
    answer = await fetch(view.dataset.from, { method: "POST", headers, body: new URLSearchParams(new FormData(form)) });
  } catch {
    say("Er is geen verbinding. Uw tekst staat er nog.");
    return;
  }
  if (mine !== asked) return;
  if (!answer.ok) {
    say(answer.status === 401 ? "U bent uitgelogd. Log in een ander tabblad in, en bekijk opnieuw." : "Bekijken lukt nu niet.");
    return;
  }
  view.innerHTML = await answer.text();
  ready();
  say(view.querySelector("p strong")?.textContent ?? "");
}

function ready() {
  for (const button of view.querySelectorAll(".remark__do")) button.hidden = false;
}

function say(text) {
  if (told.textContent !== text) told.textContent = text;
}

/** Put the suggestion in the place of the words, where they still stand. */
function replace({ part, start, words, by }) {
  const field = document.getElementById(part);
  if (!field) return;
  const at = Number(start);
  const from = field.value.startsWith(words, at) ? at : field.value.indexOf(words);
  if (from >= 0) write(field, from, from + words.length, by);
}

function write(field, from, to, text) {
  field.setRangeText(text, from, to, "end");
  field.focus();
  later();
}
