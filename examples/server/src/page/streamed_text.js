// The text of an answer, as it comes.

import { element, unseen } from "./dom.js";
import { visible } from "./format.js";

/** A paragraph is cut here, so that a long one is not laid out again with each word. */
const PARAGRAPH = 4_000;

/** Text that grows. It is laid out once a frame, and only its last paragraph anew. */
export class StreamedText {
  sources = 0;
  length = 0;
  #onCite;
  #paragraph;
  #written = "";
  #start = "";
  #frame = 0;

  constructor(onCite) {
    this.#onCite = onCite;
    this.element = element("div", { class: "answer-text", dir: "auto" });
  }

  push(text) {
    this.#written += text;
    this.length += text.length;
    if (this.#start.length < 10_000) this.#start += text;
    this.#frame ||= requestAnimationFrame(() => this.#layOut());
  }

  end() {
    cancelAnimationFrame(this.#frame);
    this.#layOut();
    // The last one is done too.
    this.#written = "";
  }

  /** The beginning in words, without the numbers of the sources. */
  start(length) {
    const words = visible(this.#start.replace(/\s*\[\d+\]/g, "").trim());
    return words.length <= length ? words : `${words.slice(0, length)}…`;
  }

  #layOut() {
    this.#frame = 0;
    for (;;) {
      const newline = this.#written.indexOf("\n");
      const cut = newline >= 0 && newline <= PARAGRAPH ? newline + 1 : this.#written.length > PARAGRAPH ? PARAGRAPH : 0;
      if (cut === 0) break;
      this.#fill(this.#written.slice(0, cut).replace(/\n$/, ""));
      this.#paragraph = undefined;
      this.#written = this.#written.slice(cut);
    }
    if (this.#written !== "") this.#fill(this.#written);
  }

  #fill(text) {
    if (text.trim() === "" && !this.#paragraph) return;
    if (!this.#paragraph) {
      this.#paragraph = element("p", { dir: "auto" });
      this.element.append(this.#paragraph);
    }
    const parts = visible(text).split(/\[(\d{1,3})\]/);
    this.#paragraph.replaceChildren(...parts.map((part, at) => (at % 2 === 0 ? part : this.#cite(Number(part)))));
  }

  #cite(at) {
    if (at < 1 || at > this.sources) return `[${at}]`;
    return element(
      "button",
      { type: "button", class: "cite", click: () => this.#onCite(at) },
      unseen("Source "),
      String(at),
    );
  }
}
