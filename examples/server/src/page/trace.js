// A trace as a tree of spans, out of its live events or out of the store.

import { timeOf } from "./format.js";

/** Log lines that a trace keeps. */
const LOGS = 500;

const ENDED = new Set(["completed", "failed", "cancelled"]);

export class Trace {
  constructor(id) {
    this.id = id;
    /** `running` until its end. */
    this.status = "running";
    this.duration = undefined;
    this.spans = new Map();
    this.logs = [];
    this.scores = [];
    this.logsLeftOut = 0;
    this.user = undefined;
    this.tenant = undefined;
  }

  /** The trace that `GET /api/traces/{id}` gave. */
  static stored(data) {
    const trace = new Trace(data.trace_id);
    for (const stage of data.stages ?? []) {
      const start = timeOf(stage.start);
      trace.#span(stage.span_id, {
        parent: stage.parent_span_id ?? undefined,
        stage: stage.stage,
        kind: stage.kind,
        status: ENDED.has(stage.status) ? stage.status : stage.status === "lost" ? "cancelled" : "running",
        start,
        duration: stage.duration_ms ?? undefined,
        count: stage.count ?? stage.metrics?.count,
        cost: stage.cost_usd ?? stage.metrics?.cost_usd,
        context: stage.context ?? {},
        metrics: stage.metrics ?? {},
        error: stage.error ?? undefined,
      });
    }
    for (const line of data.logs ?? []) trace.log(line);
    trace.scores = data.scores ?? [];
    trace.status = ENDED.has(data.status) ? data.status : data.status === "lost" ? "cancelled" : "running";
    trace.duration = data.duration_ms ?? undefined;
    trace.user = data.user_id ?? undefined;
    trace.tenant = data.tenant_id ?? undefined;
    return trace;
  }

  /** Takes a live event of a stage. An end may come before its start, and either twice after a reconnection. */
  stage(event) {
    const time = timeOf(event.timestamp);
    const ended = ENDED.has(event.event);
    const known = this.spans.get(event.span_id);
    const before = known && known.status !== "running";
    const start = ended && Number.isFinite(event.duration_ms) ? time - event.duration_ms : time;
    return this.#span(event.span_id, {
      parent: event.parent_span_id ?? known?.parent,
      stage: event.stage,
      kind: event.kind,
      status: ended ? event.event : before ? known.status : "running",
      start: known && ended ? Math.min(known.start, start) : start,
      duration: ended ? (event.duration_ms ?? time - (known?.start ?? time)) : known?.duration,
      count: event.count ?? event.metrics?.count ?? known?.count,
      cost: event.metrics?.cost_usd ?? known?.cost,
      context: { ...known?.context, ...event.context },
      metrics: { ...known?.metrics, ...event.metrics },
      error: event.error ?? known?.error,
    });
  }

  log(line) {
    if (this.logs.length < LOGS) this.logs.push(line);
    else this.logsLeftOut += 1;
  }

  end(event) {
    this.status = ENDED.has(event.status) ? event.status : "completed";
    this.duration = event.duration_ms ?? undefined;
    // A stage that still seems to run has an end that was not told.
    for (const span of this.spans.values()) if (span.status === "running") span.status = "cancelled";
  }

  #span(id, properties) {
    const span = this.spans.get(id) ?? { id, since: performance.now() };
    Object.assign(span, properties);
    this.spans.set(id, span);
    return span;
  }

  /** How long a span has taken so far, in milliseconds. */
  static elapsed(span) {
    return span.status === "running" ? performance.now() - span.since : span.duration;
  }

  /** The first moment and the last, in milliseconds since 1970. */
  extent() {
    let [start, end] = [Infinity, -Infinity];
    for (const span of this.spans.values()) {
      if (!Number.isFinite(span.start)) continue;
      start = Math.min(start, span.start);
      end = Math.max(end, span.start + (Trace.elapsed(span) ?? 0));
    }
    return start <= end ? [start, end] : [0, 0];
  }

  /** The spans in the order of their tree. One whose parent is unknown, or its own descendant, is a root. */
  rows(isOpen = () => true) {
    const children = new Map();
    const roots = [];
    for (const span of this.spans.values()) {
      const siblings =
        span.parent !== span.id && this.spans.has(span.parent) ? (children.get(span.parent) ?? []) : roots;
      siblings.push(span);
      if (siblings !== roots) children.set(span.parent, siblings);
    }
    const rows = [];
    const seen = new Set();
    const visit = (siblings, depth, shown) => {
      // Siblings go on a stack of our own: a tree may be deeper than the browser's.
      const stack = level(siblings, depth, shown);
      while (stack.length > 0) {
        const row = stack.pop();
        if (seen.has(row.span)) continue;
        seen.add(row.span);
        const below = children.get(row.span.id) ?? [];
        row.children = below.length;
        row.open = below.length > 0 && isOpen(row.span, row.depth);
        if (row.shown) rows.push(row);
        stack.push(...level(below, row.depth + 1, row.shown && row.open));
      }
    };
    visit(roots, 1, true);
    for (const span of this.spans.values()) if (!seen.has(span)) visit([span], 1, true);
    return rows;
  }

  /** The span and those above it, the nearest first. */
  *upwards(span) {
    const seen = new Set();
    while (span && !seen.has(span)) {
      seen.add(span);
      yield span;
      span = this.spans.get(span.parent);
    }
  }
}

/** Rows of siblings, the first on top of the stack. */
function level(siblings, depth, shown) {
  const sorted = siblings.toSorted((one, other) => one.start - other.start);
  return sorted.map((span, at) => ({ span, depth, shown, position: at + 1, siblings: sorted.length })).reverse();
}
