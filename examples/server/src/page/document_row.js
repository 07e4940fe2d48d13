// A document with the lights of its stages.

import { bdi, element, errorChain, icon, setText, unseen } from "./dom.js";
import { bytes, counted, duration, name } from "./format.js";
import { Trace } from "./trace.js";

/** The way of a document: the kinds of its stages, with what each counts. */
const STEPS = [
  { kind: "parse", label: "Parse", figure: ({ metrics }) => (metrics.pages ? counted(metrics.pages, "page") : "") },
  { kind: "chunk", label: "Chunk", figure: ({ count }) => (Number.isFinite(count) ? counted(count, "chunk") : "") },
  { kind: "enrich", label: "Enrich", figure: ({ count }) => (Number.isFinite(count) ? counted(count, "chunk") : "") },
  { kind: "embed", label: "Embed", figure: ({ count }) => (Number.isFinite(count) ? counted(count, "vector") : "") },
  { kind: "store", label: "Store", figure: ({ count }) => (Number.isFinite(count) ? counted(count, "chunk") : "") },
];

const FORMATS = { pdf: "PDF", html: "HTML", markdown: "Markdown", text: "Text" };

const STEP_STATE = {
  pending: "waiting",
  skipped: "not reached",
  running: "running",
  completed: "completed",
  failed: "failed",
  cancelled: "cancelled",
};

/** A document whose run has ended, before the service's account of it has come. */
const RUN_STATE = { completed: "stored", failed: "failed", cancelled: "cancelled" };

/** A name as the service shows it: without what is not seen. */
export function shownName(given) {
  // The service reads these codes as what forms send by them, also where they are part of the name.
  const decoded = given.replaceAll("%22", '"').replace(/%0[AD]/g, "");
  const last = decoded.split(/[/\\]/).pop();
  return last
    .replace(/[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu, "")
    .trim();
}

/** A document. It has no element until one is asked for: of many only some are shown. */
export class DocumentRow {
  #element;
  #steps = [];
  #state = element("p", { class: "document-state" });
  #meta = element("p", { class: "meta" });
  #failure = element("div");
  /** The latest run of each kind of stage, and that of the whole pipeline over this document. */
  #spans = new Map();
  #run;
  #error;
  #result;
  #ended;
  #shownError;
  #drawn;

  /** Takes a file as a drop or an input gives it. */
  constructor(file) {
    this.file = file;
    this.label = shownName(file.name);
  }

  get element() {
    this.#element ??= this.#build();
    return this.#element;
  }

  get isShown() {
    return this.#element !== undefined;
  }

  get hasFailed() {
    return this.#ended === "failed";
  }

  #build() {
    const { file } = this;
    this.#steps = STEPS.map((step) => new StepLight(step));
    const title = element("div", { class: "grow" }, element("h3", {}, bdi(file.name)), this.#meta);
    const lights = this.#steps.map((step) => step.element);
    return element(
      "li",
      { class: "document", "data-status": "pending" },
      element("div", { class: "document-head" }, icon("file"), title, this.#state),
      element("ol", { class: "steps", "aria-label": `Stages of ${name(file.name)}` }, ...lights),
      this.#failure,
    );
  }

  take(span) {
    this.#drawn = undefined;
    // The failure of a step says more than that of the pipeline over it, which passes it on.
    if (span.kind === "pipeline") this.#run = span;
    else this.#spans.set(span.kind, span);
    if (span.status === "failed" && span.error && !(this.#error && span.kind === "pipeline")) this.#error = span.error;
  }

  /** Takes the service's account of the file, or at least how the upload ended. */
  finish(result, status) {
    this.#drawn = undefined;
    this.#result = result;
    this.#ended = result?.status ?? (status === "cancelled" ? "cancelled" : "failed");
    if (result?.error && !this.#error) this.#error = { message: result.error };
  }

  #status() {
    return this.#ended ?? RUN_STATE[this.#run?.status] ?? (this.#spans.size > 0 ? "running" : "pending");
  }

  /** Draws what has changed; `upload` is the state of the upload that it is part of. */
  draw(upload) {
    const status = this.#status();
    if (!this.#element || (this.#drawn === upload && status !== "running")) return;
    this.#drawn = upload;
    this.#element.dataset.status = status;
    const isOver = status !== "running" && status !== "pending";
    for (const step of this.#steps) step.draw(this.#spans.get(step.kind), isOver);
    const { format, pages, chunks = this.#run?.count } = this.#result ?? {};
    const parts = [
      format ? (FORMATS[format] ?? name(format)) : "",
      bytes(this.file.size),
      pages ? counted(pages, "page") : "",
    ];
    setText(this.#meta, parts.filter(Boolean).join(" · "));
    const words = {
      pending: upload === "uploading" ? "Uploading" : "Waiting",
      running: "Ingesting",
      stored: `Stored${Number.isFinite(chunks) ? `, ${counted(chunks, "chunk")}` : ""}`,
      failed: "Failed",
      cancelled: "Cancelled",
    };
    setText(this.#state, words[status] ?? name(status));
    if (this.#error !== this.#shownError) {
      this.#shownError = this.#error;
      this.#failure.replaceChildren(errorChain(this.#error));
    }
  }
}

class StepLight {
  #step;
  #light = element("span", { class: "light" });
  #state = unseen("");
  #figure = element("span", { class: "step-figure" });
  #duration = element("span", { class: "step-duration" });
  #drawn;

  constructor(step) {
    this.#step = step;
    this.kind = step.kind;
    const label = element("span", { class: "step-label" }, step.label, this.#state);
    const parts = [this.#light, label, this.#duration, this.#figure];
    this.element = element("li", { class: "step", "data-kind": step.kind }, ...parts);
  }

  draw(span, isOver) {
    const state = span?.status ?? (isOver ? "skipped" : "pending");
    if (this.#drawn !== state) {
      this.#drawn = state;
      this.element.dataset.status = state;
      this.#light.replaceChildren(icon(state === "skipped" ? "pending" : state));
      setText(this.#state, `: ${STEP_STATE[state]}`);
    }
    if (!span) return;
    setText(this.#figure, this.#step.figure(span));
    setText(this.#duration, duration(Trace.elapsed(span)));
  }
}
