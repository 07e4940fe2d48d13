// The panel of one span: its records as the server writes them, fetched when it is opened.

import { nameLocalTimes } from "./times.js";
import { announce } from "./waterfall_dom.js";

export class Panel extends EventTarget {
  #parts;
  #address;
  #span;
  #asked = 0;

  constructor(parts, address) {
    super();
    this.#parts = parts;
    this.#address = address;
    parts.close.addEventListener("click", () => this.close());
    parts.body.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-span]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.dispatchEvent(new CustomEvent("go", { detail: link.dataset.span }));
    });
    document.getElementById("panel-further").addEventListener("click", () => this.#widen());
  }

  get isOpen() {
    return this.#span !== undefined;
  }

  /** Shows the span with this id, or nothing. */
  show(span) {
    if (span === this.#span) return;
    this.#span = span;
    const { box, page } = this.#parts;
    box.hidden = !span;
    page.classList.toggle("has-panel", Boolean(span));
    if (span) this.#load("");
  }

  /** Reads the span's records again, as after a score was added. */
  refresh() {
    if (this.#span) this.#load("?fresh=1");
  }

  focus() {
    this.#parts.body.querySelector("h2")?.focus();
  }

  close() {
    if (!this.#span) return;
    this.show(undefined);
    this.dispatchEvent(new Event("closed"));
  }

  #widen() {
    this.#parts.page.classList.toggle("has-wide-panel");
  }

  async #load(query) {
    const { body } = this.#parts;
    const asked = (this.#asked += 1);
    body.setAttribute("aria-busy", "true");
    let content;
    try {
      const answer = await fetch(`${this.#address}/span/${this.#span}${query}`, { headers: { accept: "text/html" } });
      content = parse(await answer.text());
      if (!answer.ok) content = [problem(`The span cannot be shown: ${content.textContent?.trim().slice(0, 300) ?? answer.status}`)];
    } catch (error) {
      content = [problem(`The span cannot be shown: ${error.message}`)];
    }
    if (asked !== this.#asked) return;
    body.removeAttribute("aria-busy");
    body.replaceChildren(...content);
    nameLocalTimes(body);
    body.scrollTop = 0;
    announce(body.querySelector("h2")?.textContent ?? "The span cannot be shown");
  }
}

/** The server escapes all that was recorded, and the page's policy lets no script in a fragment run. */
function parse(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return [...parsed.body.childNodes].map((node) => document.adoptNode(node));
}

function problem(text) {
  const paragraph = document.createElement("p");
  paragraph.className = "panel-problem";
  paragraph.setAttribute("role", "alert");
  paragraph.textContent = text;
  return paragraph;
}
