// One row of the waterfall: an element that shows whichever span it is told to.

import { setAttribute, setText, element, svg } from "./waterfall_dom.js";
import { cost, counted, duration, number } from "./waterfall_format.js";
import { CANCELLED, COMPLETED, FAILED, LOST, OPEN, STATUS_WORDS } from "./waterfall_model.js";

export const ROW_HEIGHT = 28;

/** Deeper spans are not indented further; their level is written instead. */
const DEEPEST_INDENT = 16;

const SIGNS = { [COMPLETED]: "✓", [FAILED]: "✗", [CANCELLED]: "⊘", [OPEN]: "◌", [LOST]: "?" };

/** Two letters a kind, so that colour is not all that tells them apart. */
const LETTERS = {
  pipeline: "Pi", parse: "Pa", chunk: "Ch", enrich: "En", embed: "Em", store: "St",
  retrieve: "Re", rerank: "Rr", generate: "Ge", tool: "To", task: "Ta",
};

export function kindLetters(kind) {
  return LETTERS[kind] ?? "··";
}

export class Row {
  constructor() {
    this.index = -1;
    this.version = -1;
    this.top = NaN;
    this.twist = element("span", { class: "wf-twist" });
    this.sign = element("span", { class: "wf-sign" });
    this.badge = element("span", { class: "wf-kind" });
    this.stage = element("bdi", { class: "wf-stage" });
    this.label = element("bdi", { class: "wf-label" });
    this.chips = element("span", { class: "wf-chips" });
    this.bar = svg("rect", { class: "wf-bar", y: 7, height: 14, rx: 2 });
    this.covered = svg("path", { class: "wf-covered" });
    this.hatch = svg("rect", { class: "wf-hatch", y: 7, height: 14, rx: 2 });
    this.critical = svg("path", { class: "wf-critical" });
    this.drawing = svg("svg", { class: "wf-time", height: ROW_HEIGHT }, this.bar, this.covered, this.hatch, this.critical);
    this.count = element("span", { class: "wf-count" });
    this.cost = element("span", { class: "wf-cost" });
    this.took = element("span", { class: "wf-took" });
    const name = element("span", { class: "wf-name" }, this.twist, this.sign, this.badge, this.stage, this.label, this.chips);
    const row = { class: "wf-row", role: "treeitem", tabindex: -1 };
    this.element = element("div", row, name, this.drawing, this.count, this.cost, this.took);
    this.element.wfRow = this;
  }

  move(row) {
    const top = row * ROW_HEIGHT;
    if (top === this.top) return;
    this.top = top;
    this.element.style.transform = `translateY(${top}px)`;
  }

  /** Shows a span. `scale` maps times, or costs, to columns of the drawing. */
  show(model, at, scale, version) {
    if (this.index === at && this.version === version) return;
    this.index = at;
    this.version = version;
    const { element: row } = this;
    const status = model.status(at);
    const closed = model.closed[at] === 1;
    row.id = `wf-${model.id(at)}`;
    setAttribute(row, "aria-level", model.depth[at] + 1);
    setAttribute(row, "aria-posinset", model.position[at]);
    setAttribute(row, "aria-setsize", model.siblings[at]);
    setAttribute(row, "aria-expanded", model.children[at] > 0 ? String(!closed) : undefined);
    setAttribute(row, "aria-label", spoken(model, at));
    setAttribute(row, "data-status", status);
    setAttribute(row, "data-kind", model.kind(at) ?? "none");
    row.classList.toggle("is-critical", model.isCritical(at));
    row.classList.toggle("is-match", model.isMatch(at));
    this.#indent(Math.min(model.depth[at], DEEPEST_INDENT));
    setText(this.twist, model.children[at] === 0 ? "" : closed ? "▸" : "▾");
    setText(this.sign, SIGNS[status]);
    this.sign.title = STATUS_WORDS[status];
    setText(this.badge, kindLetters(model.kind(at)));
    this.badge.title = model.kind(at) ?? "no kind";
    setText(this.stage, model.stage(at));
    setText(this.label, model.label(at));
    setText(this.count, number(model.count[at]));
    this.#showCost(model, at);
    setText(this.took, status === OPEN ? `${duration(model.elapsed(at))}…` : duration(model.took[at]));
    this.#showChips(model, at, closed);
    this.#draw(model, at, scale);
  }

  /** A custom property changes the styles of all that is in the row, so it is not set without need. */
  #indent(depth) {
    if (this.depth === depth) return;
    this.depth = depth;
    this.element.style.setProperty("--depth", depth);
  }

  /** The whole of what may be cut, for a pointer that rests on the row. */
  nameTitle(model) {
    const at = this.index;
    this.element.title = [`${model.stage(at)} ${model.label(at)}`.trim(), model.error(at)].filter(Boolean).join("\n");
  }

  /** A span's own cost, or in grey that of the spans inside it. */
  #showCost(model, at) {
    const own = model.cost[at];
    const inside = model.costIn(at);
    setText(this.cost, Number.isFinite(own) ? cost(own) : inside > 0 ? `Σ ${cost(inside)}` : "");
    this.cost.classList.toggle("is-sum", !Number.isFinite(own));
  }

  #showChips(model, at, closed) {
    const chips = [];
    if (model.depth[at] > DEEPEST_INDENT) chips.push(["level", `level ${number(model.depth[at] + 1)}`]);
    if (closed) {
      chips.push(["more", `+${number(model.end[at] - at - 1)}`]);
      const troubles = model.troublesIn(at) - (model.status(at) === COMPLETED ? 0 : 1);
      if (troubles > 0) chips.push(["trouble", `✗ ${number(troubles)}`]);
      const matches = model.matchesIn(at) - (model.isMatch(at) ? 1 : 0);
      if (matches > 0) chips.push(["match", counted(matches, "match", "matches")]);
    }
    if (model.scores(at)) chips.push(["score", `★ ${model.scores(at)}`]);
    if (model.error(at)) chips.push(["error", model.error(at)]);
    const key = chips.join("\n");
    if (this.chips.dataset.key === key) return;
    this.chips.dataset.key = key;
    this.chips.replaceChildren(...chips.map(([kind, text]) => element("bdi", { class: `wf-chip wf-chip-${kind}` }, text)));
  }

  #draw(model, at, scale) {
    const [from, to] = scale.interval(at);
    const x = scale.x(from);
    // A span of no width is still there to be seen.
    const width = Math.max(2, scale.x(to) - x);
    for (const rect of [this.bar, this.hatch]) {
      rect.setAttribute("x", x.toFixed(1));
      rect.setAttribute("width", width.toFixed(1));
    }
    this.covered.setAttribute("d", coveredPath(scale.covered(at), scale, x, x + width));
    this.critical.setAttribute("d", criticalPath(scale.critical(at), scale));
  }
}

/** The name of a row for those who hear it. */
function spoken(model, at) {
  const status = model.status(at);
  const inside = model.troublesIn(at) - (status === COMPLETED ? 0 : 1);
  const parts = [
    `${model.stage(at)} ${model.label(at)}`.trim(),
    status !== COMPLETED && STATUS_WORDS[status],
    // The time of what runs changes all the time, which nobody wants to hear.
    status !== OPEN && duration(model.elapsed(at)),
    Number.isFinite(model.count[at]) && counted(model.count[at], "item"),
    Number.isFinite(model.cost[at]) && cost(model.cost[at]),
    model.isCritical(at) && "on the critical path",
    inside > 0 && `${counted(inside, "span")} inside not completed`,
    model.scores(at) && `scored ${model.scores(at)}`,
    model.error(at),
    model.isMatch(at) && "found",
  ];
  return parts.filter(Boolean).join(", ");
}

/** The parts of a bar in which children ran, joined where no gap would be seen. */
function coveredPath(intervals, scale, left, right) {
  let path = "";
  let begin = NaN;
  let end = NaN;
  const close = () => {
    if (end > begin) path += `M${begin.toFixed(1)} 7H${end.toFixed(1)}V21H${begin.toFixed(1)}Z`;
  };
  for (let at = 0; at < intervals.length; at += 2) {
    const from = Math.max(left, scale.x(intervals[at]));
    const to = Math.min(right, scale.x(intervals[at + 1]));
    if (to <= from) continue;
    if (from <= end + 0.5) end = Math.max(end, to);
    else {
      close();
      [begin, end] = [from, to];
    }
  }
  close();
  return path;
}

function criticalPath(parts, scale) {
  let path = "";
  for (const [from, to] of parts) {
    const x = scale.x(from);
    path += `M${x.toFixed(1)} 23H${Math.max(x + 2, scale.x(to)).toFixed(1)}V25.5H${x.toFixed(1)}Z`;
  }
  return path;
}
