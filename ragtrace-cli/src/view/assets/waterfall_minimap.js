// The whole trace in a strip: where time is spent and what failed, with a window that zooms the axis.
//
// It is drawn once for each version of the trace: every lane adds up how many of its spans run at
// each column, by the differences at their ends, so a span costs two additions whatever its length.

import { duration } from "./waterfall_format.js";
import { COMPLETED } from "./waterfall_model.js";

/** Lanes, one above the other. */
const LANES = 24;
const LANE_HEIGHT = 2;
/** How far a key moves an end of the window, of the whole. */
const STEP = 0.02;

export class Minimap {
  #waterfall;
  #parts;

  /** `parts`: `box`, `canvas`, `pane` (the window), and its ends `from` and `to`. */
  constructor(parts, waterfall) {
    this.#parts = parts;
    this.#waterfall = waterfall;
    new ResizeObserver(() => this.draw()).observe(parts.box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    waterfall.addEventListener("changed", () => this.#placePane());
    this.#listen(parts.box, (x, begun) => this.#select(begun, x));
    this.#listen(parts.pane, (x, begun, at) => this.#shift(x - begun, at));
    this.#listen(parts.from, (x) => this.#setEnds(x, this.#ends()[1]));
    this.#listen(parts.to, (x) => this.#setEnds(this.#ends()[0], x));
    parts.box.addEventListener("dblclick", () => this.#setEnds(0, 1));
    for (const [handle, which] of [[parts.from, 0], [parts.to, 1]]) {
      handle.addEventListener("keydown", (event) => this.#onKey(event, which));
    }
  }

  draw() {
    const { canvas, box } = this.#parts;
    const width = Math.floor(box.clientWidth);
    if (width === 0) return;
    canvas.width = width;
    canvas.height = LANES * LANE_HEIGHT;
    const image = canvas.getContext("2d");
    // A canvas wants colours as they come out, which the variables of the style sheets are not.
    const { color, outlineColor } = getComputedStyle(canvas);
    paint(image, this.#lanes(width, () => true), width, color);
    const isBad = (at) => this.#waterfall.model.status(at) !== COMPLETED && this.#waterfall.model.troublesIn(at) === 1;
    paint(image, this.#lanes(width, isBad), width, outlineColor);
    this.#placePane();
  }

  /** Whether something runs, by lane and column. */
  #lanes(width, wanted) {
    const { model } = this.#waterfall;
    const steps = new Int32Array(LANES * (width + 1));
    const scale = width / Math.max(1, model.extent);
    for (let at = 0; at < model.size; at += 1) {
      if (!wanted(at)) continue;
      const lane = Math.min(LANES - 1, Math.floor((at / Math.max(model.size, LANES)) * LANES)) * (width + 1);
      const from = Math.max(0, Math.min(width - 1, Math.floor(model.start[at] * scale)));
      const to = Math.max(from + 1, Math.min(width, Math.ceil((model.start[at] + model.elapsed(at)) * scale)));
      steps[lane + from] += 1;
      steps[lane + to] -= 1;
    }
    return steps;
  }

  #ends() {
    const { scale } = this.#waterfall;
    return scale.unit === "time" ? [scale.from / scale.total, scale.to / scale.total] : [0, 1];
  }

  #setEnds(from, to) {
    const { scale } = this.#waterfall;
    if (scale.unit !== "time") return;
    const [low, high] = [Math.max(0, Math.min(from, to)), Math.min(1, Math.max(from, to))];
    this.#waterfall.zoom(low * scale.total, high * scale.total);
  }

  #select(from, to) {
    if (Math.abs(from - to) > 0.003) this.#setEnds(from, to);
  }

  #shift(by, [from, to]) {
    const kept = Math.max(-from, Math.min(1 - to, by));
    this.#setEnds(from + kept, to + kept);
  }

  #placePane() {
    const { pane, from, to, box } = this.#parts;
    const { scale } = this.#waterfall;
    box.classList.toggle("is-off", scale.unit !== "time");
    const ends = this.#ends();
    pane.style.left = `${(ends[0] * 100).toFixed(3)}%`;
    pane.style.width = `${((ends[1] - ends[0]) * 100).toFixed(3)}%`;
    for (const [handle, end] of [[from, ends[0]], [to, ends[1]]]) {
      handle.setAttribute("aria-valuenow", Math.round(end * 100));
      handle.setAttribute("aria-valuetext", scale.unit === "time" ? duration(end * scale.total) || "0" : "");
    }
  }

  #onKey(event, which) {
    const moves = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -5 * STEP, PageUp: 5 * STEP, Home: -1, End: 1 };
    const by = moves[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const ends = this.#ends();
    // Neither end passes the other.
    if (which === 0) this.#setEnds(Math.min(ends[0] + by, ends[1] - STEP / 10), ends[1]);
    else this.#setEnds(ends[0], Math.max(ends[1] + by, ends[0] + STEP / 10));
  }

  /** Calls `move` with the pointer's place and where it was pressed, both of the whole width. */
  #listen(target, move) {
    target.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.stopPropagation();
      const { box } = this.#parts;
      const bounds = box.getBoundingClientRect();
      const place = (moved) => Math.max(0, Math.min(1, (moved.clientX - bounds.left) / bounds.width));
      const begun = place(event);
      const ends = this.#ends();
      // The pane covers all of it while nothing is zoomed: then a pull on it selects.
      const acts = target === this.#parts.pane && ends[0] <= 0 && ends[1] >= 1 ? (x) => this.#select(begun, x) : (x) => move(x, begun, ends);
      const onMove = (moved) => acts(place(moved));
      const stop = () => {
        target.removeEventListener("pointermove", onMove);
        target.removeEventListener("pointerup", stop);
        target.removeEventListener("pointercancel", stop);
      };
      target.setPointerCapture(event.pointerId);
      target.addEventListener("pointermove", onMove);
      target.addEventListener("pointerup", stop);
      target.addEventListener("pointercancel", stop);
    });
  }
}

function paint(image, steps, width, colour) {
  image.fillStyle = colour;
  for (let lane = 0; lane < LANES; lane += 1) {
    let running = 0;
    let begin = 0;
    for (let x = 0; x <= width; x += 1) {
      const before = running;
      running += steps[lane * (width + 1) + x];
      if (before === 0 && running > 0) begin = x;
      if (before > 0 && running === 0) image.fillRect(begin, lane * LANE_HEIGHT, x - begin, LANE_HEIGHT);
    }
  }
}
