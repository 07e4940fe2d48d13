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
  // A quotation mark is sent by its code, so that the code itself is read as one.
  const last = given.replaceAll("%22", '"').split(/[/\\]/).pop();
  return last
    .replace(/[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu, "")
    .trim();
}

export class DocumentRow {
  #steps;
  #state = element("p", { class: "document-state" });
  #meta = element("p", { class: "meta" });
  #failure = element("div");
  #run;
  #result;
  #ended;
  #shownError;

  /** Takes a file as a drop or an input gives it. */
  constructor(file) {
    this.file = file;
    this.label = shownName(file.name);
    this.#steps = STEPS.map((step) => new StepLight(step));
    this.element = element(
      "li",
      { class: "document", "data-status": "pending" },
      element(
        "div",
        { class: "document-head" },
        icon("file"),
        element("div", { class: "grow" }, element("h3", {}, bdi(file.name)), this.#meta),
        this.#state,
      ),
      element(
        "ol",
        { class: "steps", "aria-label": `Stages of ${name(file.name)}` },
        ...this.#steps.map((step) => step.element),
      ),
      this.#failure,
    );
  }

  take(span) {
    this.#steps.find((step) => step.kind === span.kind)?.take(span);
    // The run of the whole pipeline over this document.
    if (span.kind === "pipeline") this.#run = span;
    if (span.error && span.status === "failed" && !this.#deeper(span)) this.error = { span, ...span.error };
  }

  /** The failure of a step says more than that of the pipeline above it, which passes it on. */
  #deeper(span) {
    return this.error && span.kind === "pipeline";
  }

  finish(result, status) {
    this.#result = result;
    this.#ended = result?.status ?? (status === "cancelled" ? "cancelled" : "failed");
    if (result?.error && !this.error) this.error = { message: result.error };
  }

  draw(state) {
    const begun = this.#steps.some((step) => step.span);
    const status = this.#ended ?? RUN_STATE[this.#run?.status] ?? (begun ? "running" : "pending");
    this.element.dataset.status = status;
    for (const step of this.#steps) step.draw(!["running", "pending"].includes(status));
    const { format, pages, chunks = this.#run?.count } = this.#result ?? {};
    const parts = [
      format ? (FORMATS[format] ?? name(format)) : "",
      bytes(this.file.size),
      pages ? counted(pages, "page") : "",
    ];
    setText(this.#meta, parts.filter(Boolean).join(" · "));
    const words = {
      pending: state === "uploading" ? "Uploading" : "Waiting",
      running: "Ingesting",
      stored: `Stored${Number.isFinite(chunks) ? `, ${counted(chunks, "chunk")}` : ""}`,
      failed: "Failed",
      cancelled: "Cancelled",
    };
    setText(this.#state, words[status] ?? name(status));
    if (this.error !== this.#shownError) {
      this.#shownError = this.error;
      this.#failure.replaceChildren(errorChain(this.error));
    }
  }
}

class StepLight {
  span;
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
    this.element = element(
      "li",
      { class: "step", "data-kind": step.kind },
      this.#light,
      label,
      this.#duration,
      this.#figure,
    );
    this.draw(false);
  }

  take(span) {
    this.span = span;
  }

  draw(ended) {
    const state = this.span?.status ?? (ended ? "skipped" : "pending");
    if (this.#drawn !== state) {
      this.#drawn = state;
      this.element.dataset.status = state;
      this.#light.replaceChildren(icon(state === "skipped" ? "pending" : state));
      setText(this.#state, `: ${STEP_STATE[state]}`);
    }
    if (!this.span) return;
    setText(this.#figure, this.#step.figure(this.span));
    setText(this.#duration, duration(Trace.elapsed(this.span)));
  }
}
