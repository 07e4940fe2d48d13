// Documents: files dropped or chosen are uploaded at once, and each stage of their ingestion lights up as it happens.

import { Problem, getJson, newTrace, upload } from "./api.js";
import { announce, bdi, element, errorChain, find, icon, problemCard, setText, traceId, unseen } from "./dom.js";
import { bytes, counted, duration, name, number } from "./format.js";
import { LiveTrace } from "./live.js";
import { Trace } from "./trace.js";
import { Waterfall } from "./waterfall.js";

/** The way of a document: the kinds of its stages, with what each counts. */
const STEPS = [
  { kind: "parse", label: "Parse", figure: ({ metrics }) => (metrics.pages ? counted(metrics.pages, "page") : "") },
  { kind: "chunk", label: "Chunk", figure: ({ count }) => (Number.isFinite(count) ? counted(count, "chunk") : "") },
  { kind: "enrich", label: "Enrich", figure: ({ count }) => (Number.isFinite(count) ? counted(count, "chunk") : "") },
  { kind: "embed", label: "Embed", figure: ({ count }) => (Number.isFinite(count) ? counted(count, "vector") : "") },
  { kind: "store", label: "Store", figure: ({ count }) => (Number.isFinite(count) ? counted(count, "chunk") : "") },
];

const STEP_STATE = { pending: "waiting", skipped: "not reached", running: "running", completed: "completed", failed: "failed", cancelled: "cancelled" };

/** A document whose run has ended, before the service's account of it has come. */
const RUN_STATE = { completed: "stored", failed: "failed", cancelled: "cancelled" };

/** How long the account of the files waits for the rest of its events, in milliseconds. */
const REST = 5_000;

/** How often what runs is drawn anew, in milliseconds. */
const TICK = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1_000 : 100;

/** With more documents than this the waterfall is closed at first. */
const OPEN_WATERFALL = 6;

let queue = Promise.resolve();

export function startDocuments() {
  const input = find("#files");
  input.addEventListener("change", () => {
    ingest([...input.files]);
    // The same file can be chosen again.
    input.value = "";
  });
  // It looks like a button, and so answers to Enter like one; by itself it knows the space bar alone.
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    input.click();
  });
  const zone = find("#drop");
  // Entering a child leaves its parent: only the sum says whether the files are over the page.
  let over = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const light = (by) => {
    over = by === 0 ? 0 : Math.max(0, over + by);
    zone.classList.toggle("over", over > 0);
  };
  document.addEventListener("dragenter", (event) => hasFiles(event) && light(1));
  document.addEventListener("dragleave", (event) => hasFiles(event) && light(-1));
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    light(0);
    if (find("#sign-in").hidden === false) return;
    location.hash = "#documents";
    const { files, folders } = filesOf(event.dataTransfer);
    if (folders > 0) announce("A folder was left out: choose the files in it.");
    ingest(files, folders);
  });
}

/** The files of a drop. A folder comes as a file that cannot be read. */
function filesOf(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const folders = items.filter((item) => item.webkitGetAsEntry?.()?.isDirectory);
  const files = items.filter((item) => !folders.includes(item)).map((item) => item.getAsFile());
  return { files: files.filter(Boolean), folders: folders.length };
}

/** Uploads go one after the other: the browser has few connections to a host. */
function ingest(files, folders = 0) {
  setText(find("#left-out"), folders > 0 ? `${counted(folders, "folder was", "folders were")} left out. Choose the files in it.` : "");
  if (files.length === 0) return;
  const batch = new Batch(files);
  find("#batches").prepend(batch.element);
  find("#no-batches")?.remove();
  queue = queue.then(() => batch.run());
}

class Batch {
  #files;
  #ids = newTrace();
  #trace;
  #documents;
  #abort = new AbortController();
  #waterfall;
  #fold;
  #title;
  #light = element("span", { class: "light" });
  #meta = element("p", { class: "meta" });
  #progress = element("progress", { class: "progress", max: "1", value: "0", "aria-label": "Upload" });
  #sent = element("span", { class: "meta" });
  #cancel = element("button", { type: "button", class: "quiet" }, "Cancel");
  #upload;
  #problem = element("div");
  #frame = 0;
  #timer = 0;
  #state = "waiting";
  #account;
  #spanOf = new Map();

  constructor(files) {
    const id = `upload-${this.#ids.id}`;
    this.#title = element("h2", { id, tabindex: "-1" });
    this.#files = files;
    this.#trace = new Trace(this.#ids.id);
    this.#documents = files.map((file) => new DocumentRow(file));
    this.#waterfall = new Waterfall(this.#trace, "Stages of this upload", { openFailures: false });
    this.#fold = element("details", { class: "fold", hidden: true, open: files.length <= OPEN_WATERFALL }, element("summary", {}, "Waterfall"), this.#waterfall.element);
    this.#cancel.addEventListener("click", () => {
      this.#abort.abort();
      this.#title.focus();
    });
    this.#upload = element("div", { class: "upload" }, this.#progress, this.#sent, this.#cancel);
    const head = element("header", {}, this.#light, element("div", { class: "grow" }, this.#title, this.#meta), traceId(this.#ids.id));
    const list = element("ul", { class: "documents", "aria-label": "Documents" }, ...this.#documents.map((row) => row.element));
    this.element = element("article", { class: "card batch", "aria-labelledby": id, "data-state": "waiting" }, head, this.#upload, this.#problem, list, this.#fold);
    this.#draw();
  }

  async run() {
    if (this.#abort.signal.aborted) return this.#finish("cancelled");
    this.#state = "uploading";
    announce(`Uploading ${counted(this.#files.length, "file")}.`);
    const rest = Promise.withResolvers?.() ?? withResolvers();
    const live = new LiveTrace(this.#ids.id, {
      onStage: (event) => this.#onStage(event),
      onLog: (line) => this.#trace.log(line),
      onEnd: (event) => {
        this.#trace.end(event);
        rest.resolve(true);
      },
      onProblem: () => rest.resolve(false),
    });
    try {
      await live.opened();
      const progress = (loaded, total) => this.#onProgress(loaded, total);
      this.#account = await upload(this.#files, this.#ids, { onProgress: progress, signal: this.#abort.signal });
      this.#state = "settling";
      this.#changed();
      const complete = await Promise.race([rest.promise, new Promise((resolve) => setTimeout(resolve, REST, false))]);
      if (!complete) await this.#readStored();
      this.#finish(this.#account.status ?? "completed");
    } catch (error) {
      if (error.name !== "AbortError") this.#problem.replaceChildren(problemCard(error instanceof Problem ? error : new Problem({ title: "The page met a mistake of its own", detail: String(error) })));
      // What the service still says of an upload that broke off comes soon.
      await Promise.race([rest.promise, new Promise((resolve) => setTimeout(resolve, this.#trace.spans.size > 0 ? REST : 0))]);
      this.#finish(error.name === "AbortError" ? "cancelled" : "failed");
    } finally {
      live.close();
    }
  }

  /** The trace as it was stored, where its events did not come. */
  async #readStored() {
    try {
      this.#trace = Trace.stored(await getJson(`/api/traces/${this.#ids.id}`));
      this.#waterfall.show(this.#trace);
      this.#spanOf.clear();
      for (const span of this.#trace.spans.values()) this.#give(span);
    } catch {
      // The account of the files says what became of them.
    }
  }

  #onProgress(loaded, total) {
    this.#progress.max = total || 1;
    this.#progress.value = loaded;
    setText(this.#sent, loaded < total ? `${bytes(loaded)} of ${bytes(total)}` : `${bytes(total)} uploaded`);
    if (loaded >= total && this.#state === "uploading") this.#state = "ingesting";
    this.#changed();
  }

  #onStage(event) {
    const span = this.#trace.stage(event);
    this.#give(span);
    this.#waterfall.changed();
    this.#changed();
  }

  /** Gives a span to the document that it is of, and with it those below that came before it. */
  #give(span) {
    const place = this.#placeOf(span);
    if (place === undefined) return;
    this.#documents[place].take(span);
    if (span.context.file === undefined && span.context.doc === undefined) return;
    for (const other of this.#trace.spans.values()) {
      if (other.parent === span.id && !this.#spanOf.has(other)) this.#give(other);
    }
  }

  /** The place of the document that a span is of: its stage, or one above it, says the number of the file, or else its name. */
  #placeOf(span) {
    for (const above of this.#trace.upwards(span)) {
      const known = this.#spanOf.get(above.id);
      if (known !== undefined) return this.#remember(span, known);
    }
    let topmost;
    for (const above of this.#trace.upwards(span)) {
      if (Number.isInteger(above.context.file) && above.context.file < this.#documents.length) {
        this.#spanOf.set(above.id, above.context.file);
        return this.#remember(span, above.context.file);
      }
      if (typeof above.context.doc === "string") topmost = above;
    }
    if (!topmost) return undefined;
    const taken = new Set(this.#spanOf.values());
    const label = shownName(topmost.context.doc);
    const place = this.#documents.findIndex((row, at) => !taken.has(at) && shownName(row.file.name) === label);
    if (place < 0) return undefined;
    this.#spanOf.set(topmost.id, place);
    return this.#remember(span, place);
  }

  #remember(span, place) {
    this.#spanOf.set(span.id, place);
    return place;
  }

  #finish(status) {
    this.#state = status;
    if (this.#trace.status === "running") this.#trace.end({ status: status === "completed" ? "completed" : "failed" });
    this.#documents.forEach((row, at) => row.finish(this.#account?.files[at], status));
    this.#waterfall.changed();
    this.#changed();
    announce(this.#summary());
  }

  #changed() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #summary() {
    const files = this.#account?.files ?? [];
    const stored = files.filter((file) => file.status === "stored").length;
    const all = this.#files.length;
    switch (this.#state) {
      case "waiting": return `${counted(all, "file waits", "files wait")} for the upload before`;
      case "uploading": return `Uploading ${counted(all, "file")}`;
      case "ingesting":
      case "settling": return `Ingesting ${counted(all, "file")}`;
      case "cancelled": return "Cancelled";
      default:
        if (!this.#account) return "Nothing was stored";
        if (stored === all) return all === 1 ? "Stored" : `All ${number(all)} files stored`;
        return stored === 0 ? (all === 1 ? "Not stored" : "No file was stored") : `${number(stored)} of ${number(all)} files stored`;
    }
  }

  #draw() {
    const running = ["uploading", "ingesting", "settling"].includes(this.#state);
    const light = running ? "running" : { waiting: "pending", completed: "completed", partial: "partial", cancelled: "cancelled" }[this.#state] ?? "failed";
    if (this.element.dataset.light !== light) this.#light.replaceChildren(icon(light));
    this.element.dataset.light = light;
    this.element.dataset.state = running || this.#state === "waiting" ? this.#state : "ended";
    setText(this.#title, this.#summary());
    const size = this.#files.reduce((sum, file) => sum + file.size, 0);
    const took = this.#trace.duration ?? (this.#trace.spans.size > 0 ? span(this.#trace.extent()) : undefined);
    const chunks = this.#account?.chunks_created;
    setText(this.#meta, [bytes(size), chunks === undefined ? "" : counted(chunks, "chunk"), duration(took)].filter(Boolean).join(" · "));
    this.#upload.hidden = !running && this.#state !== "waiting";
    this.#progress.hidden = this.#state !== "uploading";
    this.#fold.hidden = this.#trace.spans.size === 0;
    for (const row of this.#documents) row.draw(this.#state);
    clearTimeout(this.#timer);
    if (running) this.#timer = setTimeout(() => this.#changed(), TICK);
  }
}

/** A name as the service shows it: without what is not seen. */
function shownName(given) {
  const last = given.split(/[/\\]/).pop();
  return last.replace(/[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu, "").trim();
}

function span([start, end]) {
  return end - start;
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** A document with the lights of its stages. */
class DocumentRow {
  #steps;
  #state = element("p", { class: "document-state" });
  #meta = element("p", { class: "meta" });
  #failure = element("div");
  #run;
  #result;
  #ended;
  #shownError;

  constructor(file) {
    this.file = file;
    this.#steps = STEPS.map((step) => new StepLight(step));
    this.element = element(
      "li",
      { class: "document", "data-status": "pending" },
      element("div", { class: "document-head" }, icon("file"), element("div", { class: "grow" }, element("h3", {}, bdi(file.name)), this.#meta), this.#state),
      element("ol", { class: "steps", "aria-label": `Stages of ${name(file.name)}` }, ...this.#steps.map((step) => step.element)),
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
    const parts = [format ? name(format).toUpperCase() : "", bytes(this.file.size), pages ? counted(pages, "page") : ""];
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
    this.element = element("li", { class: "step", "data-kind": step.kind }, this.#light, label, this.#duration, this.#figure);
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
