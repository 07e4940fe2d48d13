// Maps times, or costs, to columns of the drawing.

/** How many spans' covered intervals are kept: more than rows are on a screen. */
const KEPT = 400;
/** Coordinates beyond the drawing are cut to this far outside it, where SVG still computes exactly. */
const OUTSIDE = 50;

/** The least part of the trace that the axis can be zoomed to. */
export const CLOSEST = 1e-5;

const NO_PARTS = [];

/** Time: a bar lies where its span ran. */
export class TimeScale {
  #covered = new Map();

  constructor(model, from = 0, to = model.extent) {
    this.model = model;
    this.total = Math.max(1, model.extent);
    this.from = from;
    this.to = Math.max(from + this.total * CLOSEST, to);
    this.width = 1;
    this.unit = "time";
  }

  get isWhole() {
    return this.from <= 0 && this.to >= this.total;
  }

  x(time) {
    const x = ((time - this.from) / (this.to - this.from)) * this.width;
    return Math.max(-OUTSIDE, Math.min(this.width + OUTSIDE, x));
  }

  interval(at) {
    const start = this.model.start[at];
    return [start, start + this.model.elapsed(at)];
  }

  covered(at) {
    let intervals = this.#covered.get(at);
    if (!intervals) {
      if (this.#covered.size > KEPT) this.#covered.clear();
      intervals = this.model.covered(at);
      this.#covered.set(at, intervals);
    }
    return intervals;
  }

  critical(at) {
    return this.model.criticalParts.get(at) ?? NO_PARTS;
  }
}

/** Cost: a bar is as long as what its span and those inside it cost, and begins where those before it end. */
export class CostScale {
  constructor(model) {
    this.model = model;
    this.total = model.costSums[model.size];
    this.from = 0;
    this.to = this.total || 1;
    this.width = 1;
    this.unit = "cost";
  }

  get isWhole() {
    return true;
  }

  x(value) {
    return (value / this.to) * this.width;
  }

  interval(at) {
    return [this.model.costSums[at], this.model.costSums[this.model.end[at]]];
  }

  /** What the spans inside cost; the span's own part comes before it. */
  covered(at) {
    const { costSums, end } = this.model;
    return end[at] > at + 1 ? [costSums[at + 1], costSums[end[at]]] : NO_PARTS;
  }

  critical() {
    return NO_PARTS;
  }
}

/** Some round values between `from` and `to`, both left out where they are no round ones. */
export function ticks(from, to, most) {
  const rough = (to - from) / most;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((candidate) => candidate >= rough);
  const found = [];
  for (let tick = Math.ceil(from / step); tick * step <= to; tick += 1) found.push(tick * step);
  return found;
}
