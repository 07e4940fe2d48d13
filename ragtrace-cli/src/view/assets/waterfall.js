// The waterfall: a tree of which only the rows on the screen are elements.
//
// About sixty rows are recycled while the page scrolls, whatever the number of spans. The row that
// has the focus is never recycled, so that the keyboard does not lose its place; the place of every
// row in the whole tree is in its ARIA attributes, since most of the tree is not in the document.

import { setText, element } from "./waterfall_dom.js";
import { cost, duration } from "./waterfall_format.js";
import { FAILED } from "./waterfall_model.js";
import { ROW_HEIGHT, Row } from "./waterfall_row.js";
import { CostScale, TimeScale, ticks } from "./waterfall_scale.js";
import { treeKeys } from "./waterfall_keys.js";

/** Rows that are drawn above and below the screen, so that a small step shows no gap. */
const SPARE = 8;

export class Waterfall extends EventTarget {
  #rows = [];
  #byIndex = new Map();
  #version = 0;
  #frame = 0;
  #wantsFocus = false;
  #ticks = [];

  /** `scroller` holds `tree`; `axis` is the head of the time column. */
  constructor({ scroller, tree, axis, grid }, model) {
    super();
    this.scroller = scroller;
    this.tree = tree;
    this.axis = axis;
    this.grid = grid;
    this.model = model;
    this.scale = new TimeScale(model);
    this.current = 0;
    scroller.addEventListener("scroll", () => this.#schedule(), { passive: true });
    tree.addEventListener("keydown", treeKeys(this));
    tree.addEventListener("click", (event) => this.#onClick(event));
    tree.addEventListener("pointerover", (event) => event.target.closest(".wf-row")?.wfRow.nameTitle(this.model));
    tree.addEventListener("focusin", (event) => event.target.wfRow && this.#makeCurrent(event.target.wfRow.index));
    new ResizeObserver(() => this.#measure()).observe(axis);
    new ResizeObserver(() => this.#schedule()).observe(scroller);
    this.#measure();
  }

  /** Draws everything anew: the model or the scale has changed. */
  changed() {
    this.#version += 1;
    this.tree.style.height = `${this.model.rowCount * ROW_HEIGHT}px`;
    this.#drawAxis();
    this.#schedule();
    this.dispatchEvent(new Event("changed"));
  }

  /** Arranges the rows after something was opened or closed, with the current row where it was on the screen. */
  arrange() {
    const before = this.model.rowOf[this.current];
    const offset = before >= 0 ? before * ROW_HEIGHT - this.scroller.scrollTop : 0;
    this.model.arrange();
    while (this.model.rowOf[this.current] < 0 && this.model.parent[this.current] >= 0) {
      this.current = this.model.parent[this.current];
    }
    if (this.model.rowOf[this.current] < 0) this.current = this.model.rowCount > 0 ? this.model.rows[0] : 0;
    this.#wantsFocus ||= this.tree.contains(document.activeElement);
    this.changed();
    const row = this.model.rowOf[this.current];
    if (before >= 0 && row >= 0) this.scroller.scrollTop = row * ROW_HEIGHT - offset;
  }

  /** Shows the same trace as it has become. */
  replaceModel(model) {
    const before = this.model;
    const { from, to, isWhole } = this.scale;
    model.continueFrom(before);
    const moved = (at) => (at >= 0 && at < before.size ? model.indexOf(before.id(at)) : -1);
    this.model = model;
    this.current = Math.max(0, moved(this.current));
    // Rows go on showing their spans, which may have other places now: the focus stays where it is.
    for (const row of this.#rows) row.index = moved(row.index);
    this.#byIndex = new Map(this.#rows.filter((row) => row.index >= 0).map((row) => [row.index, row]));
    if (this.scale.unit === "cost") this.#setScale(new CostScale(model));
    else this.#setScale(isWhole ? new TimeScale(model) : new TimeScale(model, from, to));
  }

  /** Lets what runs reach to `extent`, in microseconds from the trace's start. */
  grow(extent) {
    this.model.extent = Math.max(this.model.extent, extent);
    if (this.scale.unit !== "time") return;
    const { from, to, isWhole } = this.scale;
    this.#setScale(isWhole ? new TimeScale(this.model) : new TimeScale(this.model, from, to));
  }

  showCosts(wanted) {
    this.#setScale(wanted ? new CostScale(this.model) : new TimeScale(this.model));
  }

  zoom(from, to) {
    if (this.scale.unit !== "time") return;
    const total = this.scale.total;
    this.#setScale(new TimeScale(this.model, Math.max(0, Math.min(from, total)), Math.min(to, total)));
  }

  /** Zooms to the current span, with a little of what is around it. */
  zoomToCurrent() {
    const [from, to] = this.scale.interval(this.current);
    const margin = Math.max((to - from) * 0.05, 1);
    this.zoom(from - margin, to + margin);
  }

  /** Gives the focus to a span's row, opening what is above it. */
  go(at, { focus = true } = {}) {
    const { model } = this;
    if (at < 0 || at >= model.size) return;
    if (model.rowOf[at] < 0) {
      model.reveal(at);
      if (isHiddenOnTheWay(model, at)) {
        // A filter hides it: who asks for this very span sees it.
        model.shortest = 0;
        model.onlyCritical = false;
      }
      model.arrange();
      this.changed();
    }
    this.#makeCurrent(at);
    this.#scrollTo(model.rowOf[at]);
    this.#wantsFocus = focus;
    this.#draw();
  }

  goToRow(row) {
    const last = this.model.rowCount - 1;
    if (last >= 0) this.go(this.model.rows[Math.max(0, Math.min(last, row))]);
  }

  currentRow() {
    return this.model.rowOf[this.current];
  }

  pageSize() {
    return Math.max(1, Math.floor(this.#height() / ROW_HEIGHT) - 1);
  }

  toggle(at, open = this.model.closed[at] === 1) {
    if (this.model.children[at] === 0) return;
    this.model.closed[at] = open ? 0 : 1;
    this.arrange();
  }

  /** Goes to the next span after the current one that `wanted` picks, around the end if need be. */
  goToNext(wanted, step = 1) {
    const { size } = this.model;
    for (let away = 1; away <= size; away += 1) {
      const at = (((this.current + away * step) % size) + size) % size;
      if (wanted(at)) {
        this.go(at);
        return true;
      }
    }
    return false;
  }

  /** The next failed span, the innermost of those that only pass on the same failure. */
  goToNextFailure(step = 1) {
    const { model } = this;
    return this.goToNext((at) => model.status(at) === FAILED && model.troublesIn(at) === 1, step);
  }

  goToNextCritical(step = 1) {
    return this.goToNext((at) => this.model.isCritical(at), step);
  }

  open(at) {
    this.#makeCurrent(at);
    this.dispatchEvent(new CustomEvent("open", { detail: this.model.id(at) }));
  }

  #setScale(scale) {
    scale.width = this.scale.width;
    this.scale = scale;
    this.changed();
  }

  #measure() {
    const width = this.axis.clientWidth;
    if (width === this.scale.width || width === 0) return;
    this.scale.width = width;
    this.changed();
  }

  #makeCurrent(at) {
    if (at === this.current) return;
    this.#byIndex.get(this.current)?.element.setAttribute("tabindex", "-1");
    this.current = at;
    this.#byIndex.get(at)?.element.setAttribute("tabindex", "0");
    this.dispatchEvent(new Event("moved"));
  }

  #scrollTo(row) {
    const { scroller } = this;
    const height = this.#height();
    const [top, bottom] = [row * ROW_HEIGHT, (row + 1) * ROW_HEIGHT];
    // Half a screen away and more, the row comes to the middle; near by, it just comes into sight.
    const far = top < scroller.scrollTop - height / 2 || bottom > scroller.scrollTop + height * 1.5;
    if (far) scroller.scrollTop = top - height / 2;
    else if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (bottom > scroller.scrollTop + height) scroller.scrollTop = bottom - height;
  }

  /** The height of the rows that are seen: the head of the columns stays above them. */
  #height() {
    return Math.max(ROW_HEIGHT, this.scroller.clientHeight - this.axis.parentElement.offsetHeight);
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    if (this.#frame) cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { model, scroller } = this;
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_HEIGHT) - SPARE);
    const seen = Math.ceil(this.#height() / ROW_HEIGHT) + 2 * SPARE;
    const last = Math.min(model.rowCount - 1, first + seen);
    const free = this.#release(first, last);
    for (let row = first; row <= last; row += 1) this.#place(row, free);
    // The tab stop has to be in the document, also when it is scrolled out of sight.
    const current = model.rowOf[this.current];
    if (current >= 0 && !this.#byIndex.has(this.current)) this.#place(current, free);
    for (const row of free) row.element.remove();
    this.#rows = [...this.#byIndex.values()];
    this.#byIndex.get(this.current)?.element.setAttribute("tabindex", "0");
    if (this.#wantsFocus) this.#focus();
    this.#wantsFocus = false;
  }

  #focus() {
    const element = this.#byIndex.get(this.current)?.element;
    if (!element) return;
    element.focus({ preventScroll: true });
    // The tree scrolls by itself; the window follows where the tree reaches beyond it.
    const { top, bottom } = element.getBoundingClientRect();
    const bar = document.querySelector(".top")?.getBoundingClientRect().bottom ?? 0;
    const over = bottom > innerHeight ? bottom - innerHeight + ROW_HEIGHT : Math.min(0, top - Math.max(0, bar) - 2 * ROW_HEIGHT);
    if (over !== 0) scrollBy({ top: over, behavior: "instant" });
  }

  /** Takes back the rows that are out of sight, but for the current one. */
  #release(first, last) {
    const free = [];
    for (const row of this.#rows) {
      const at = row.index >= 0 ? this.model.rowOf[row.index] : -1;
      const stays = at >= 0 && ((at >= first && at <= last) || row.index === this.current);
      if (stays) continue;
      if (row.index >= 0) this.#byIndex.delete(row.index);
      row.element.setAttribute("tabindex", "-1");
      free.push(row);
    }
    return free;
  }

  #place(row, free) {
    const at = this.model.rows[row];
    let drawn = this.#byIndex.get(at);
    if (!drawn) {
      drawn = free.pop() ?? new Row();
      this.#byIndex.set(at, drawn);
      if (!drawn.element.isConnected) this.tree.append(drawn.element);
    }
    drawn.show(this.model, at, this.scale, this.#version);
    drawn.move(row);
  }

  #drawAxis() {
    const { scale } = this;
    const values = scale.to > scale.from ? ticks(scale.from, scale.to, Math.max(2, scale.width / 110)) : [];
    const text = (value) => (value === 0 ? "0" : scale.unit === "cost" ? cost(value) : duration(value));
    while (this.#ticks.length < values.length) {
      const made = [element("span", { class: "wf-tick" }), element("span", { class: "wf-line" })];
      this.#ticks.push(made);
      this.axis.append(made[0]);
      this.grid.append(made[1]);
    }
    this.#ticks.forEach(([label, line], at) => {
      const known = at < values.length;
      label.hidden = line.hidden = !known;
      if (!known) return;
      setText(label, text(values[at]));
      const x = scale.x(values[at]);
      label.style.left = line.style.left = `${x.toFixed(1)}px`;
      // The last label stands before its line where there is no room after it.
      label.classList.toggle("is-last", x > scale.width - 60);
    });
  }

  #onClick(event) {
    const row = event.target.closest(".wf-row")?.wfRow;
    if (!row || row.index < 0) return;
    if (event.target === row.twist) {
      this.go(row.index);
      this.toggle(row.index);
    } else {
      this.go(row.index);
      this.open(row.index);
    }
  }
}

function isHiddenOnTheWay(model, at) {
  for (let above = at; above >= 0; above = model.parent[above]) if (model.isHidden(above)) return true;
  return false;
}
