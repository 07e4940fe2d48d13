// Files that are uploaded together: how far the upload is, the lights of each document, and their trace.

import { Problem, newTrace, readTrace, upload } from "./api.js";
import { DocumentRow } from "./document_row.js";
import { DocumentSpans } from "./document_spans.js";
import { TICK, announce, element, icon, problemCard, setText, traceId } from "./dom.js";
import { bytes, counted, duration, number } from "./format.js";
import { LiveTrace } from "./live.js";
import { Trace } from "./trace.js";
import { Waterfall } from "./waterfall.js";

/** Documents that are shown at first, and how many more a press brings. */
const ROWS = 100;

/** With more documents than this the waterfall is closed at first. */
const OPEN_WATERFALL = 6;

const LIGHTS = { waiting: "pending", completed: "completed", partial: "partial", cancelled: "cancelled" };

export class Batch {
  #files;
  #size;
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
  #spans;
  #list = element("ul", { class: "documents", "aria-label": "Documents" });
  #more = element("button", { type: "button", class: "quiet", hidden: true });

  constructor(files) {
    const id = `upload-${this.#ids.id}`;
    this.#title = element("h2", { id, tabindex: "-1" });
    this.#files = files;
    this.#size = files.reduce((sum, file) => sum + file.size, 0);
    this.#documents = files.map((file) => new DocumentRow(file));
    this.#take(new Trace(this.#ids.id));
    this.#waterfall = new Waterfall(this.#trace, "Stages of this upload", { openFailures: false });
    this.#fold = element(
      "details",
      { class: "fold", hidden: true, open: files.length <= OPEN_WATERFALL },
      element("summary", {}, "Waterfall"),
      this.#waterfall.element,
    );
    this.#cancel.addEventListener("click", () => {
      this.#abort.abort();
      // Nothing of it runs yet that would end it.
      if (this.#state === "waiting") this.#finish("cancelled");
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
    this.#more.addEventListener("click", () => this.#showMore());
    this.#showMore();
    this.element = element(
      "article",
      { class: "card batch", "aria-labelledby": id, "data-state": "waiting" },
      head,
      this.#upload,
      this.#problem,
      this.#list,
      this.#more,
      this.#fold,
    );
    this.#draw();
  }

  async run() {
    if (this.#abort.signal.aborted) return;
    this.#state = "uploading";
    announce(`Uploading ${counted(this.#files.length, "file")}.`);
    const live = new LiveTrace(this.#ids.id, {
      onStage: (event) => this.#onStage(event),
      onLog: (line) => this.#trace.log(line),
      onEnd: (event) => this.#trace.end(event),
    });
    try {
      await live.opened();
      const onProgress = (loaded, total) => this.#onProgress(loaded, total);
      this.#account = await upload(this.#files, this.#ids, { onProgress, signal: this.#abort.signal });
      this.#state = "settling";
      this.#changed();
      if (!(await live.settled())) await this.#readStored();
      this.#finish(this.#account.status ?? "completed");
    } catch (error) {
      const wasCancelled = error.name === "AbortError";
      if (!wasCancelled) this.#problem.replaceChildren(problemCard(asProblem(error)));
      // The stages that had begun end soon, though the upload broke off.
      if (this.#trace.spans.size > 0) await live.settled();
      this.#finish(wasCancelled ? "cancelled" : "failed");
    } finally {
      live.close();
    }
  }

  /** The trace as it was stored, where its events did not come. */
  async #readStored() {
    try {
      this.#take(Trace.stored(await readTrace(this.#ids.id)));
      this.#waterfall.show(this.#trace);
      for (const span of this.#trace.spans.values()) this.#give(span);
    } catch {
      // The account of the files says what became of them.
    }
  }

  #take(trace) {
    this.#trace = trace;
    const labels = this.#documents.map((row) => row.label);
    this.#spans = new DocumentSpans(trace, labels);
  }

  #give(span) {
    this.#spans.add(span, (place, of) => this.#documents[place].take(of));
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

  #showMore() {
    const hidden = this.#documents.filter((row) => !row.isShown);
    this.#list.append(...hidden.slice(0, ROWS).map((row) => row.element));
    const left = Math.max(0, hidden.length - ROWS);
    this.#more.hidden = left === 0;
    setText(this.#more, `Show ${number(Math.min(ROWS, left))} more of ${number(this.#documents.length)} documents`);
    this.#changed();
  }

  #finish(status) {
    this.#state = status;
    if (this.#trace.status === "running") {
      this.#trace.end({ status: status === "completed" || status === "cancelled" ? status : "failed" });
    }
    this.#documents.forEach((row, at) => row.finish(this.#account?.files[at], status));
    // Failures are seen without looking for them.
    if (this.#account)
      this.#list.append(
        ...this.#documents
          .filter((row) => row.hasFailed && !row.isShown)
          .slice(0, ROWS)
          .map((row) => row.element),
      );
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
        if (stored > 0) return `${number(stored)} of ${number(all)} files stored`;
        return all === 1 ? "Not stored" : "No file was stored";
    }
  }

  #draw() {
    const running = ["uploading", "ingesting", "settling"].includes(this.#state);
    const light = running ? "running" : (LIGHTS[this.#state] ?? "failed");
    if (this.element.dataset.light !== light) this.#light.replaceChildren(icon(light));
    this.element.dataset.light = light;
    this.element.dataset.state = running || this.#state === "waiting" ? this.#state : "ended";
    setText(this.#title, this.#summary());
    const took = this.#trace.duration ?? (this.#trace.spans.size > 0 ? span(this.#trace.extent()) : undefined);
    const chunks = this.#account?.chunks_created;
    setText(
      this.#meta,
      [bytes(this.#size), chunks === undefined ? "" : counted(chunks, "chunk"), duration(took)]
        .filter(Boolean)
        .join(" · "),
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

function asProblem(error) {
  if (error instanceof Problem) return error;
  return new Problem({ title: "The page met a mistake of its own", detail: String(error) });
}
