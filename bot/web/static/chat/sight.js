/** Where one looks: at the end, unless the resident reads back; a long message from its beginning. */

const NEAR_END = 160;

export class Sight {
  #page;
  #dock;
  #jump;
  #atEnd = true;
  #scrollY = 0;

  constructor(page, onJump) {
    this.#page = page;
    this.#dock = page.getElementById("dock");
    this.#jump = page.getElementById("jump");
    this.#jump.addEventListener("click", () => {
      this.toEnd();
      onJump();
    });
    window.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.keep()).observe(this.#dock);
  }

  /** Go to the end. */
  toEnd() {
    this.#atEnd = true;
    this.#jump.hidden = true;
    window.scrollTo({ top: this.#page.documentElement.scrollHeight });
  }

  /** Stay at the end, where one is there, after something grew. */
  keep() {
    if (this.#atEnd) this.toEnd();
  }

  /** Bring new lines into sight, `first` and what follows; or say that they are there. */
  show(first) {
    if (!this.#atEnd) {
      this.#jump.hidden = false;
      return;
    }
    const head = Math.max(0, this.#page.querySelector(".masthead").getBoundingClientRect().bottom);
    const room = this.#dock.getBoundingClientRect().top - head;
    const { top } = first.getBoundingClientRect();
    if (first.parentElement.getBoundingClientRect().bottom - top <= room) this.toEnd();
    else {
      this.#atEnd = false;
      window.scrollBy({ top: top - head - 12 });
    }
  }

  /** Only a resident who scrolls back leaves the end; a page that grows does not. */
  #scrolled() {
    const { scrollHeight, clientHeight } = this.#page.documentElement;
    if (window.scrollY + clientHeight >= scrollHeight - NEAR_END) {
      this.#atEnd = true;
      this.#jump.hidden = true;
    } else if (window.scrollY < this.#scrollY) this.#atEnd = false;
    this.#scrollY = window.scrollY;
  }
}
