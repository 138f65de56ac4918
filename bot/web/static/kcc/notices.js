/** What the page says about what was done: read out too. */

const told_ = document.getElementById("told");
const wrong_ = document.getElementById("wrong");
let timer = 0;

/** Something went well, or happened. */
export function told(words) {
  wrong_.textContent = "";
  told_.textContent = words;
  clearTimeout(timer);
  timer = setTimeout(() => (told_.textContent = ""), 12_000);
}

/** Something did not work. It stays until something else is said. */
export function wrong(words) {
  told_.textContent = "";
  wrong_.textContent = words;
}
