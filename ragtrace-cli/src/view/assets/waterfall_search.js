// Search inside the trace: what is on the rows at once, and what was recorded (fields, contents,
// logs) from the server a moment later.

import { setText } from "./waterfall_dom.js";
import { number } from "./waterfall_format.js";
import { STATUS_WORDS } from "./waterfall_model.js";

/** Milliseconds without a key before the server is asked. */
const PAUSE = 250;

export class Search {
  #waterfall;
  #input;
  #output;
  #address;
  #timer = 0;
  #asked = 0;
  #recorded = new Set();

  /** `address` answers `?q=…` with the ids of the spans in whose records the text occurs. */
  constructor({ input, output, next, previous, address }, waterfall) {
    this.#waterfall = waterfall;
    this.#input = input;
    this.#output = output;
    this.#address = address;
    input.addEventListener("input", () => this.#changed());
    input.addEventListener("keydown", (event) => this.#onKey(event));
    next.addEventListener("click", () => this.step(1));
    previous.addEventListener("click", () => this.step(-1));
    waterfall.addEventListener("moved", () => this.#tell());
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  find(text) {
    this.#input.value = text;
    this.#changed();
  }

  /** Searches, and goes to the first match from the current row on. */
  goTo(text) {
    this.find(text);
    const { model, current } = this.#waterfall;
    if (model.isMatch(current)) this.#waterfall.go(current);
    else this.step(1);
    this.#tell();
  }

  /** Looks again in another version of the trace. */
  refresh() {
    this.#mark();
  }

  step(by) {
    const { matches } = this.#waterfall.model;
    if (matches.length === 0) return;
    this.#waterfall.goToNext((at) => this.#waterfall.model.isMatch(at), by);
    this.#tell();
  }

  #changed() {
    this.#recorded = new Set();
    this.#mark();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE);
  }

  async #ask() {
    const text = this.#input.value.trim();
    const asked = (this.#asked += 1);
    if (text === "") return;
    try {
      const answer = await fetch(`${this.#address}?q=${encodeURIComponent(text)}`);
      if (!answer.ok || asked !== this.#asked) return;
      this.#recorded = new Set((await answer.json()).spans);
      if (asked === this.#asked && text === this.#input.value.trim()) this.#mark();
    } catch {
      // The server is gone: what is on the rows is found all the same.
    }
  }

  #mark() {
    const { model } = this.#waterfall;
    const text = this.#input.value.trim().toLowerCase();
    const found = [];
    // A stage's name is looked at once, and not once a span.
    const inStage = model.data.stages.map((stage) => text !== "" && stage.toLowerCase().includes(text));
    const inKind = model.data.kinds.map((kind) => kind === text);
    const word = Object.entries(STATUS_WORDS).find(([, words]) => words === text)?.[0];
    for (let at = 0; text !== "" && at < model.size; at += 1) {
      const is = inStage[model.data.stage[at]] || inKind[model.data.kind[at]] || model.status(at) === word || this.#isOn(at, text);
      if (is) found.push(at);
    }
    model.setMatches(Int32Array.from(found));
    this.#waterfall.changed();
    this.#tell();
  }

  #isOn(at, text) {
    const { model } = this.#waterfall;
    const has = (shown) => shown !== "" && shown.toLowerCase().includes(text);
    return has(model.label(at)) || has(model.error(at)) || has(model.scores(at)) || model.id(at) === text || this.#recorded.has(model.id(at));
  }

  #tell() {
    const { model, current } = this.#waterfall;
    const total = model.matches.length;
    if (this.#input.value.trim() === "") return setText(this.#output, "");
    if (total === 0) return setText(this.#output, "no match");
    // Matches are in the order of the spans, so the place of one is the number of those before it.
    const place = model.isMatch(current) ? `${number(model.matchSums[current + 1])} of ` : "";
    return setText(this.#output, `${place}${number(total)}`);
  }

  #onKey(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      // The first Enter goes to the first match from here on, and leaves the focus in the tree.
      if (this.#waterfall.model.isMatch(this.#waterfall.current) && !event.repeat && document.activeElement === this.#input) {
        this.#waterfall.go(this.#waterfall.current);
        this.#tell();
      } else this.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      if (this.#input.value === "") this.#waterfall.go(this.#waterfall.current);
      else this.find("");
    }
  }
}
