// A trace as a waterfall: its tree with a bar a stage; for keyboards and screen readers a tree grid (ARIA APG).

import { TICK, bdi, element, errorChain, icon, longText, setText, unseen } from "./dom.js";
import { dollars, duration, name, number, stageName } from "./format.js";
import { Trace } from "./trace.js";

/** Rows in the document at first, and how many more a press brings. */
const ROWS = 300;

export class Waterfall {
  #trace;
  #openFailures;
  #rows = new Map();
  #shown = [];
  #closed = new Set();
  #details = new Map();
  #limit = ROWS;
  #current;
  #grid;
  #body;
  #ticks;
  #more;
  #frame = 0;
  #timer = 0;

  /** `openFailures` unless what surrounds it tells of them already. */
  constructor(trace, label, { openFailures = true } = {}) {
    this.#trace = trace;
    this.#openFailures = openFailures;
    this.#ticks = element("span", { class: "wf-ticks", "aria-hidden": "true" });
    this.#body = element("div", { role: "rowgroup" });
    this.#grid = element(
      "div",
      { role: "treegrid", "aria-label": label, class: "waterfall", keydown: (event) => this.#onKey(event) },
      element(
        "div",
        { role: "rowgroup" },
        element(
          "div",
          { role: "row", class: "wf-row wf-head" },
          element("span", { role: "columnheader", class: "wf-name" }, "Stage"),
          element("span", { role: "columnheader", class: "wf-time" }, unseen("Time"), this.#ticks),
          element("span", { role: "columnheader", class: "wf-count" }, "Count"),
          element("span", { role: "columnheader", class: "wf-duration" }, "Duration"),
        ),
      ),
      this.#body,
    );
    this.#more = element("button", { type: "button", class: "quiet", hidden: true, click: () => this.#showMore() });
    this.element = element(
      "div",
      { class: "waterfall-box" },
      this.#grid,
      this.#more,
      element("p", { class: "hint keys" }, "Arrow keys move through the stages, Enter opens the details of one."),
    );
    new IntersectionObserver(() => this.changed()).observe(this.element);
  }

  /** Draws the trace as it has become, once a frame. */
  changed() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** Takes another version of the trace. */
  show(trace) {
    this.#trace = trace;
    this.changed();
  }

  #draw() {
    // Nobody sees it in a closed fold or another view; once it is seen, the observer has it drawn.
    if (this.element.checkVisibility?.() === false) return;
    const rows = this.#trace.rows((span) => !this.#closed.has(span.id));
    const kept = rows.slice(0, this.#limit);
    this.#shown = kept.map((row) => row.span.id);
    const extent = this.#trace.extent();
    const wanted = [];
    for (const row of kept) {
      const drawn = this.#rows.get(row.span.id) ?? this.#newRow(row.span.id);
      fillRow(drawn, row, extent);
      wanted.push(drawn.row);
      const details = this.#detailsOf(row, drawn);
      if (details) wanted.push(details);
    }
    place(this.#body, wanted);
    this.#drawTicks(extent);
    this.#more.hidden = rows.length <= kept.length;
    setText(
      this.#more,
      `Show ${number(Math.min(ROWS, rows.length - kept.length))} more of ${number(rows.length)} stages`,
    );
    if (!this.#shown.includes(this.#current)) this.#makeCurrent(this.#shown[0]);
    this.#tick();
  }

  /** While something runs its bar grows, also between two events. */
  #tick() {
    clearTimeout(this.#timer);
    if (this.#trace.status !== "running" || this.#trace.spans.size === 0) return;
    this.#timer = setTimeout(() => this.element.isConnected && this.changed(), TICK);
  }

  #newRow(id) {
    const details = element(
      "button",
      { type: "button", class: "wf-open", tabindex: "-1", "aria-expanded": "false" },
      icon("chevron"),
    );
    details.append(unseen("Details"));
    details.addEventListener("click", () => this.#toggleDetails(id));
    const drawn = {
      row: element("div", { role: "row", class: "wf-row", tabindex: "-1", focus: () => this.#makeCurrent(id) }),
      status: element("span", { class: "wf-status" }),
      label: element("span", { class: "wf-label" }),
      state: unseen(""),
      bar: element("span", { class: "wf-bar" }),
      begins: unseen(""),
      count: element("span", { role: "gridcell", class: "wf-count" }),
      duration: element("span", { role: "gridcell", class: "wf-duration" }),
      fold: element("span", { class: "wf-fold", click: () => this.#fold(id) }, icon("chevron")),
      details,
    };
    drawn.row.append(
      element(
        "span",
        { role: "rowheader", class: "wf-name" },
        drawn.fold,
        drawn.status,
        drawn.label,
        drawn.state,
        details,
      ),
      element("span", { role: "gridcell", class: "wf-time" }, drawn.bar, drawn.begins),
      drawn.count,
      drawn.duration,
    );
    this.#rows.set(id, drawn);
    return drawn;
  }

  #drawTicks([start, end]) {
    const total = this.#trace.spans.size > 0 ? end - start : NaN;
    const texts = ["0", duration(total / 2), duration(total)];
    if (this.#ticks.childElementCount === 0) this.#ticks.append(...texts.map(() => element("span")));
    texts.forEach((text, at) => setText(this.#ticks.children[at], Number.isFinite(total) ? text : ""));
  }

  /** The details of a stage: opened by a person, or at once for the failure that the others above it pass on. */
  #detailsOf(row, drawn) {
    const { span } = row;
    let open = this.#details.get(span.id);
    if (open === undefined && this.#openFailures && span.status === "failed" && !this.#failedBelow(span))
      open = "short";
    drawn.details.setAttribute("aria-expanded", String(Boolean(open)));
    if (!open) {
      drawn.opened = undefined;
      return undefined;
    }
    // Open details are made anew only if the stage has changed: a selection in them stays.
    const version = `${open} ${span.status} ${row.depth}`;
    if (drawn.opened?.version !== version) {
      const cell = element("div", { role: "gridcell", "aria-colspan": "4" }, ...detailsOf(span, open));
      drawn.opened = {
        version,
        row: element("div", { role: "row", class: "wf-details", "aria-level": row.depth + 1 }, cell),
      };
      drawn.opened.row.style.setProperty("--depth", Math.min(row.depth, 8));
    }
    return drawn.opened.row;
  }

  #failedBelow(span) {
    for (const other of this.#trace.spans.values())
      if (other.parent === span.id && other.status === "failed") return true;
    return false;
  }

  #toggleDetails(id) {
    // A failure that shows its causes by itself opens wholly first, then closes.
    const open = this.#rows.get(id)?.details.getAttribute("aria-expanded") === "true";
    this.#details.set(id, open && this.#details.has(id) ? "" : "long");
    this.changed();
  }

  #fold(id, closed = !this.#closed.has(id)) {
    if (closed) this.#closed.add(id);
    else this.#closed.delete(id);
    this.changed();
  }

  #showMore() {
    this.#limit += ROWS;
    this.changed();
  }

  #makeCurrent(id) {
    if (this.#current === id) return;
    this.#rows.get(this.#current)?.row.setAttribute("tabindex", "-1");
    this.#current = id;
    this.#rows.get(id)?.row.setAttribute("tabindex", "0");
  }

  #onKey(event) {
    const row = event.target.closest?.('[role="row"].wf-row');
    // Keys in the details, or on a button, are theirs.
    if (!row || event.target !== row || event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.#shown.indexOf(this.#current);
    const fold = row.getAttribute("aria-expanded");
    const go = (to) => this.#rows.get(this.#shown[Math.max(0, Math.min(this.#shown.length - 1, to))])?.row.focus();
    const keys = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      Home: () => go(0),
      End: () => go(this.#shown.length - 1),
      ArrowRight: () => (fold === "false" ? this.#fold(this.#current, false) : fold === "true" && go(at + 1)),
      ArrowLeft: () => (fold === "true" ? this.#fold(this.#current, true) : go(this.#parentRow(at))),
      Enter: () => this.#toggleDetails(this.#current),
      " ": () => this.#toggleDetails(this.#current),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  #parentRow(at) {
    const level = (id) => Number(this.#rows.get(id).row.getAttribute("aria-level"));
    const own = level(this.#shown[at]);
    for (let above = at - 1; above >= 0; above -= 1) if (level(this.#shown[above]) < own) return above;
    return at;
  }
}

function fillRow(drawn, { span, depth, children, open, position, siblings }, [start, end]) {
  const { row } = drawn;
  row.dataset.status = span.status;
  row.dataset.stage = span.stage;
  row.setAttribute("aria-level", depth);
  row.setAttribute("aria-posinset", position);
  row.setAttribute("aria-setsize", siblings);
  if (children > 0) row.setAttribute("aria-expanded", String(open));
  else row.removeAttribute("aria-expanded");
  row.style.setProperty("--depth", Math.min(depth - 1, 8));
  if (drawn.drawnStatus !== span.status) {
    drawn.drawnStatus = span.status;
    drawn.status.replaceChildren(icon(span.status));
    setText(drawn.state, ` ${span.status}`);
  }
  const subject = subjectOf(span);
  const label = `${span.stage}\n${subject}`;
  if (drawn.drawnLabel !== label) {
    drawn.drawnLabel = label;
    drawn.label.replaceChildren(
      ...(subject ? [bdi(subject), unseen(` ${stageName(span.stage)}`)] : [stageName(span.stage)]),
    );
    drawn.label.title = subject ? `${name(subject)}, ${stageName(span.stage)}` : stageName(span.stage);
  }
  const total = end - start || 1;
  const took = Trace.elapsed(span) ?? 0;
  const from = Math.max(0, Math.min(1, (span.start - start) / total));
  drawn.bar.style.insetInlineStart = `${(from * 100).toFixed(3)}%`;
  drawn.bar.style.width = `${(Math.max(0, Math.min(1 - from, took / total)) * 100).toFixed(3)}%`;
  setText(drawn.begins, `after ${duration(Math.max(0, span.start - start))}`);
  setText(drawn.count, Number.isFinite(span.count) ? number(span.count) : "");
  setText(drawn.duration, duration(took));
}

/** Whose run it is: the document's name where a stage above the others says it. */
function subjectOf(span) {
  const doc = span.kind === "pipeline" ? span.context.doc : undefined;
  return typeof doc === "string" ? doc : "";
}

function detailsOf(span, open) {
  const parts = [];
  if (span.error) parts.push(errorChain(span.error));
  if (open === "short") return parts;
  const metrics = Object.entries(span.metrics).filter(([key]) => !["duration_ms", "count", "cost_usd"].includes(key));
  const entries = [
    ...Object.entries(span.context),
    ...metrics.map(([key, value]) => [key, key.endsWith("_ms") ? duration(value) : value]),
    ...(span.cost ? [["cost", dollars(span.cost)]] : []),
    ["kind", span.kind ?? "none"],
    ["span", span.id],
  ];
  const list = element("dl", { class: "fields" });
  for (const [key, value] of entries) {
    list.append(
      element("dt", {}, name(key)),
      element("dd", {}, longText(typeof value === "object" ? JSON.stringify(value) : value)),
    );
  }
  parts.push(list);
  return parts;
}

/** Makes `wanted` the children, touching only those that are elsewhere: a row that stays keeps the focus. */
function place(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of wanted) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}
