// The spans of a trace in flat typed arrays, and which of them are rows.
//
// The server sends one column per property, with the spans in depth-first order. Everything that is
// asked about a subtree is a difference of running sums, so that no question walks it, and opening or
// closing a row makes no object per span.

export const COMPLETED = "c";
export const FAILED = "f";
export const CANCELLED = "x";
export const OPEN = "o";
export const LOST = "l";

export const STATUS_WORDS = { c: "completed", f: "failed", x: "cancelled", o: "still running", l: "lost" };

/** A trace of at most this many spans opens whole. */
const OPENS_WHOLE = 200;
/** How many levels a larger one shows at first. */
const FIRST_LEVELS = 3;
/** How many failed spans of a larger one are opened at first. */
const FIRST_FAILURES = 50;

export class Model {
  #indexes;

  constructor(data) {
    const size = data.depth.length;
    this.size = size;
    this.data = data;
    this.depth = Int32Array.from(data.depth);
    this.start = Float64Array.from(data.start);
    this.took = Float64Array.from(data.took, (value) => value ?? NaN);
    this.self = Float64Array.from(data.self, (value) => value ?? NaN);
    this.count = Float64Array.from(data.count, (value) => value ?? NaN);
    this.cost = Float64Array.from(data.cost, (value) => value ?? NaN);
    // What runs reaches to now, which `Waterfall.grow` moves on.
    this.extent = Math.max(data.duration, data.age ?? 0);
    this.#place();
    this.#sum();
    this.#followCriticalPath();
    this.closed = new Uint8Array(size);
    this.rows = new Int32Array(size);
    this.rowOf = new Int32Array(size);
    this.rowCount = 0;
    this.shortest = 0;
    this.onlyCritical = false;
    this.matches = new Int32Array(0);
    this.matchSums = new Int32Array(size + 1);
    this.openSensibly();
  }

  /** Parents, ends of subtrees, and places among siblings, from the depths alone. */
  #place() {
    const { size, depth } = this;
    this.parent = new Int32Array(size);
    this.end = new Int32Array(size);
    this.position = new Int32Array(size);
    this.siblings = new Int32Array(size);
    const children = new Int32Array(size + 1);
    const above = [];
    for (let at = 0; at < size; at += 1) {
      while (above.length > depth[at]) this.end[above.pop()] = at;
      const parent = above.length > 0 ? above[above.length - 1] : -1;
      this.parent[at] = parent;
      this.position[at] = children[parent + 1] += 1;
      above.push(at);
    }
    while (above.length > 0) this.end[above.pop()] = size;
    for (let at = 0; at < size; at += 1) this.siblings[at] = children[this.parent[at] + 1];
    this.children = children.subarray(1);
  }

  #sum() {
    const { size } = this;
    this.failureSums = new Int32Array(size + 1);
    this.costSums = new Float64Array(size + 1);
    this.longest = new Float64Array(size);
    for (let at = 0; at < size; at += 1) {
      this.failureSums[at + 1] = this.failureSums[at] + (this.status(at) === COMPLETED ? 0 : 1);
      this.costSums[at + 1] = this.costSums[at] + (this.cost[at] || 0);
    }
    for (let at = size - 1; at >= 0; at -= 1) {
      this.longest[at] = Math.max(this.longest[at], this.elapsed(at));
      const parent = this.parent[at];
      if (parent >= 0) this.longest[parent] = Math.max(this.longest[parent], this.longest[at]);
    }
  }

  /** The parts of the critical path, by the span that each belongs to. */
  #followCriticalPath() {
    this.criticalSums = new Int32Array(this.size + 1);
    this.criticalParts = new Map();
    this.criticalTime = new Float64Array(this.size);
    const on = new Uint8Array(this.size);
    for (const [at, from, to] of this.data.critical) {
      on[at] = 1;
      this.criticalTime[at] += to - from;
      if (!this.criticalParts.has(at)) this.criticalParts.set(at, []);
      this.criticalParts.get(at).push([from, to]);
    }
    for (let at = 0; at < this.size; at += 1) this.criticalSums[at + 1] = this.criticalSums[at] + on[at];
  }

  status(at) {
    return this.data.status[at];
  }

  stage(at) {
    return this.data.stages[this.data.stage[at]];
  }

  kind(at) {
    return this.data.kinds[this.data.kind[at]];
  }

  id(at) {
    return this.data.span[at];
  }

  label(at) {
    return this.data.label[at] ?? "";
  }

  error(at) {
    return this.data.error[at] ?? "";
  }

  scores(at) {
    return this.data.score[at] ?? "";
  }

  /** How long the span took; until the end of what is recorded, if it has not ended. */
  elapsed(at) {
    const took = this.took[at];
    return Number.isNaN(took) ? Math.max(0, this.extent - this.start[at]) : took;
  }

  isCritical(at) {
    return this.criticalSums[at + 1] > this.criticalSums[at];
  }

  /** How many spans of the subtree, itself included, did not complete. */
  troublesIn(at) {
    return this.failureSums[this.end[at]] - this.failureSums[at];
  }

  costIn(at) {
    return this.costSums[this.end[at]] - this.costSums[at];
  }

  matchesIn(at) {
    return this.matchSums[this.end[at]] - this.matchSums[at];
  }

  isMatch(at) {
    return this.matchSums[at + 1] > this.matchSums[at];
  }

  indexOf(id) {
    if (!this.#indexes) {
      this.#indexes = new Map();
      for (let at = 0; at < this.size; at += 1) this.#indexes.set(this.id(at), at);
    }
    return this.#indexes.get(id) ?? -1;
  }

  /** Opens a small trace whole, of a large one three levels and the way to what failed. */
  openSensibly() {
    if (this.size <= OPENS_WHOLE) this.closed.fill(0);
    else {
      this.openLevels(FIRST_LEVELS);
      let opened = 0;
      for (let at = 0; at < this.size && opened < FIRST_FAILURES; at += 1) {
        if (this.status(at) === COMPLETED || this.troublesIn(at) > 1) continue;
        this.reveal(at);
        opened += 1;
      }
    }
    this.arrange();
  }

  /** Shows this many levels: the roots alone for 1. */
  openLevels(levels) {
    for (let at = 0; at < this.size; at += 1) {
      this.closed[at] = this.depth[at] >= levels - 1 && this.children[at] > 0 ? 1 : 0;
    }
  }

  /** How many levels are open everywhere, at most that of the deepest span. */
  levels() {
    let least = Infinity;
    let deepest = 0;
    for (let at = 0; at < this.size; at += 1) {
      deepest = Math.max(deepest, this.depth[at] + 1);
      if (this.closed[at]) least = Math.min(least, this.depth[at] + 1);
    }
    return Math.min(least, deepest);
  }

  /** Opens all that is above a span. */
  reveal(at) {
    for (let above = this.parent[at]; above >= 0; above = this.parent[above]) this.closed[above] = 0;
  }

  isHidden(at) {
    if (this.onlyCritical && this.criticalSums[this.end[at]] === this.criticalSums[at]) return true;
    return this.longest[at] < this.shortest && this.troublesIn(at) === 0;
  }

  /** Finds out which spans are rows. */
  arrange() {
    this.rowOf.fill(-1);
    let count = 0;
    for (let at = 0; at < this.size; ) {
      if (this.isHidden(at)) {
        at = this.end[at];
        continue;
      }
      this.rows[count] = at;
      this.rowOf[at] = count;
      count += 1;
      at = this.closed[at] ? this.end[at] : at + 1;
    }
    this.rowCount = count;
  }

  /** Takes over what is open and closed from the model before, by the spans' ids. */
  continueFrom(before) {
    for (let at = 0; at < this.size; at += 1) {
      const old = before.indexOf(this.id(at));
      if (old >= 0) this.closed[at] = before.closed[old];
    }
    this.shortest = before.shortest;
    this.onlyCritical = before.onlyCritical;
    this.arrange();
  }

  setMatches(matches) {
    this.matches = matches;
    const found = new Uint8Array(this.size);
    for (const at of matches) found[at] = 1;
    for (let at = 0; at < this.size; at += 1) this.matchSums[at + 1] = this.matchSums[at] + found[at];
  }

  /** The children's times as intervals without overlaps: what of the span's own bar is not its own time. */
  covered(at) {
    const intervals = [];
    let [from, to] = [NaN, NaN];
    for (let child = at + 1; child < this.end[at]; child = this.end[child]) {
      const begin = this.start[child];
      const end = begin + this.elapsed(child);
      if (begin <= to) to = Math.max(to, end);
      else {
        if (to > from) intervals.push(from, to);
        [from, to] = [begin, end];
      }
    }
    if (to > from) intervals.push(from, to);
    return intervals;
  }
}
