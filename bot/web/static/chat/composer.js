/** Where the resident types: grows with the text, keeps the draft, says when a text is too long. */

const MOST = 4000;
const NEAR = 3600;
const ROWS = 6;

export class Composer {
  #field;
  #counter;
  #onDraft;

  constructor(page, { draft, onDraft, onTyping, onText }) {
    this.#field = page.getElementById("question");
    this.#counter = page.getElementById("counter");
    this.#onDraft = onDraft;
    this.#field.value = draft;
    this.#field.addEventListener("input", () => {
      this.#changed();
      if (this.#field.value.trim()) onTyping();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit(onText);
    });
    page.getElementById("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(onText);
    });
    this.#changed();
  }

  focus() {
    this.#field.focus();
  }

  /** Give a text back that could not be sent, above what is typed by now. */
  giveBack(text) {
    this.#field.value = [text, this.#field.value].filter(Boolean).join("\n");
    this.#changed();
    this.focus();
  }

  #submit(onText) {
    const text = this.#field.value.trim();
    this.focus();
    if (!text || length(text) > MOST) return;
    this.#field.value = "";
    this.#changed();
    onText(text);
  }

  #changed() {
    const text = this.#field.value;
    const over = length(text.trim()) - MOST;
    this.#onDraft(text);
    this.#field.rows = 1;
    while (this.#field.rows < ROWS && this.#field.scrollHeight > this.#field.clientHeight) this.#field.rows += 1;
    this.#field.setAttribute("aria-invalid", String(over > 0));
    this.#field.classList.toggle("utrecht-textarea--invalid", over > 0);
    this.#counter.classList.toggle("composer__counter--over", over > 0);
    this.#counter.textContent = over > NEAR - MOST ? words(over) : "";
  }
}

function words(over) {
  if (over > 0) return `Uw bericht is ${tally(over)} te lang. Maak het korter of verstuur het in delen.`;
  return `Nog ${tally(-over)} over.`;
}

function tally(count) {
  return count === 1 ? "1 teken" : `${count} tekens`;
}

/** Characters as the server counts them: an emoji is one, not two. */
function length(text) {
  return [...text].length;
}
