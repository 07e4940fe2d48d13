// Files that are uploaded together: how far the upload is, the lights of each document, and their trace.

import { Problem, getJson, newTrace, upload } from "./api.js";
import { DocumentRow, shownName } from "./document_row.js";
import { TICK, announce, element, icon, problemCard, setText, traceId } from "./dom.js";
import { bytes, counted, duration, number } from "./format.js";
import { LiveTrace, REST } from "./live.js";
import { Trace } from "./trace.js";
import { Waterfall } from "./waterfall.js";

/** With more documents than this the waterfall is closed at first. */
const OPEN_WATERFALL = 6;

export class Batch {
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
    this.#fold = element(
      "details",
      { class: "fold", hidden: true, open: files.length <= OPEN_WATERFALL },
      element("summary", {}, "Waterfall"),
      this.#waterfall.element,
    );
    this.#cancel.addEventListener("click", () => {
      this.#abort.abort();
      this.#title.focus();
    });
    this.#upload = element("div", { class: "upload" }, this.#progress, this.#sent, this.#cancel);
    const head = element(
      "header",
      {},
      this.#light,
      element("div", { class: "grow" }, this.#title, this.#meta),
      traceId(this.#ids.id),
    );
    const list = element(
      "ul",
      { class: "documents", "aria-label": "Documents" },
      ...this.#documents.map((row) => row.element),
    );
    this.element = element(
      "article",
      { class: "card batch", "aria-labelledby": id, "data-state": "waiting" },
      head,
      this.#upload,
      this.#problem,
      list,
      this.#fold,
    );
    this.#draw();
  }

  async run() {
    if (this.#abort.signal.aborted) return this.#finish("cancelled");
    this.#state = "uploading";
    announce(`Uploading ${counted(this.#files.length, "file")}.`);
    let missed = false;
    const rest = Promise.withResolvers?.() ?? withResolvers();
    const live = new LiveTrace(this.#ids.id, {
      onStage: (event) => this.#onStage(event),
      onLog: (line) => this.#trace.log(line),
      onEnd: (event) => {
        this.#trace.end(event);
        rest.resolve(!missed);
      },
      onProblem: () => rest.resolve(false),
      onGap: () => {
        missed = true;
      },
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
      if (error.name !== "AbortError")
        this.#problem.replaceChildren(
          problemCard(
            error instanceof Problem
              ? error
              : new Problem({ title: "The page met a mistake of its own", detail: String(error) }),
          ),
        );
      // What the service still says of an upload that broke off comes soon.
      await Promise.race([
        rest.promise,
        new Promise((resolve) => setTimeout(resolve, this.#trace.spans.size > 0 ? REST : 0)),
      ]);
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

  /** The place of the document that a span is of: the span or one above it says the file's number, or else its name. */
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
    const place = this.#documents.findIndex((row, at) => !taken.has(at) && row.label === label);
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
      case "waiting":
        return `${counted(all, "file waits", "files wait")} for the upload before`;
      case "uploading":
        return `Uploading ${counted(all, "file")}`;
      case "ingesting":
      case "settling":
        return `Ingesting ${counted(all, "file")}`;
      case "cancelled":
        return "Cancelled";
      default:
        if (!this.#account) return "Nothing was stored";
        if (stored === all) return all === 1 ? "Stored" : `All ${number(all)} files stored`;
        return stored === 0
          ? all === 1
            ? "Not stored"
            : "No file was stored"
          : `${number(stored)} of ${number(all)} files stored`;
    }
  }

  #draw() {
    const running = ["uploading", "ingesting", "settling"].includes(this.#state);
    const light = running
      ? "running"
      : ({ waiting: "pending", completed: "completed", partial: "partial", cancelled: "cancelled" }[this.#state] ??
        "failed");
    if (this.element.dataset.light !== light) this.#light.replaceChildren(icon(light));
    this.element.dataset.light = light;
    this.element.dataset.state = running || this.#state === "waiting" ? this.#state : "ended";
    setText(this.#title, this.#summary());
    const size = this.#files.reduce((sum, file) => sum + file.size, 0);
    const took = this.#trace.duration ?? (this.#trace.spans.size > 0 ? span(this.#trace.extent()) : undefined);
    const chunks = this.#account?.chunks_created;
    setText(
      this.#meta,
      [bytes(size), chunks === undefined ? "" : counted(chunks, "chunk"), duration(took)].filter(Boolean).join(" · "),
    );
    this.#upload.hidden = !running && this.#state !== "waiting";
    this.#progress.hidden = this.#state !== "uploading";
    this.#fold.hidden = this.#trace.spans.size === 0;
    for (const row of this.#documents) row.draw(this.#state);
    clearTimeout(this.#timer);
    if (running) this.#timer = setTimeout(() => this.#changed(), TICK);
  }
}

function span([start, end]) {
  return end - start;
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
