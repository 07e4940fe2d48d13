// Questions: the answer as it comes, the passages it is drawn from, its trace, and a thumb.

import { Problem, newTrace, readTrace, request } from "./api.js";
import { announce, element, find, icon, longText, problemCard, setText, traceId } from "./dom.js";
import { Feedback } from "./feedback.js";
import { counted, duration, name, number } from "./format.js";
import { LiveTrace } from "./live.js";
import { passage } from "./passage.js";
import { readEvents } from "./sse.js";
import { StreamedText } from "./streamed_text.js";
import { Trace } from "./trace.js";
import { Waterfall } from "./waterfall.js";

/** Characters of a question, as the service takes them. */
const LONGEST = 4_000;

/** Answers that the page keeps. */
const KEPT = 20;

/** An answer is read out up to here. */
const READ_OUT = 600;

let running;

export function startAsk() {
  const form = find("#ask-form");
  const question = find("#question");
  const left = find("#question-left");
  const count = () => {
    const over = [...question.value].length - LONGEST;
    setText(
      left,
      over > -500 ? (over > 0 ? `${counted(over, "character")} too many` : `${counted(-over, "character")} left`) : "",
    );
    left.classList.toggle("bad", over > 0);
  };
  question.addEventListener("input", count);
  question.addEventListener("keydown", (event) => {
    // Enter that ends the composition of a character is not meant for the form.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) return;
    const text = question.value.trim();
    const fault =
      text === ""
        ? "Write a question first."
        : [...text].length > LONGEST
          ? `A question has at most ${number(LONGEST)} characters.`
          : "";
    setText(find("#question-error"), fault);
    question.setAttribute("aria-invalid", String(fault !== ""));
    if (fault) return question.focus();
    question.value = "";
    count();
    ask(text);
  });
  find("#stop").addEventListener("click", () => {
    running?.stop();
    question.focus();
  });
}

async function ask(text) {
  const answer = new Answer(text);
  const list = find("#answers");
  list.prepend(answer.element);
  find("#no-answers")?.remove();
  while (list.childElementCount > KEPT) list.lastElementChild.remove();
  running = answer;
  find("#ask-button").hidden = true;
  find("#stop").hidden = false;
  // The button that had the focus is gone: its place is taken by the one that stops.
  if (document.activeElement === document.body) find("#stop").focus();
  try {
    await answer.run();
  } finally {
    running = undefined;
    const stopFocused = document.activeElement === find("#stop");
    find("#stop").hidden = true;
    find("#ask-button").hidden = false;
    if (stopFocused) find("#ask-button").focus();
  }
}

class Answer {
  #question;
  #ids = newTrace();
  #trace = new Trace(this.#ids.id);
  #abort = new AbortController();
  #text;
  #state = element("p", { class: "answer-state" });
  #light = element("span", { class: "light" });
  #problem = element("div");
  #sources = element("section", { class: "sources", hidden: true });
  #feedback = element("div");
  #waterfall = new Waterfall(this.#trace, "Stages of this answer");
  #fold = element("details", { class: "fold", hidden: true, open: true });
  #summary = element("span", { class: "meta" });
  #passages = [];

  constructor(question) {
    this.#question = question;
    const id = `answer-${this.#ids.id}`;
    this.#text = new StreamedText((at) => this.#goTo(at));
    this.#fold.append(element("summary", {}, "Trace", " ", this.#summary), this.#waterfall.element);
    this.element = element(
      "article",
      { class: "card answer", "aria-labelledby": id, "data-state": "running" },
      element(
        "header",
        {},
        element("h2", { id, class: "grow", dir: "auto" }, longText(question)),
        traceId(this.#ids.id),
      ),
      element(
        "div",
        { class: "answer-body" },
        element(
          "div",
          { class: "answer-main" },
          this.#text.element,
          element("div", { class: "answer-line" }, this.#light, this.#state),
          this.#problem,
          this.#feedback,
        ),
        this.#sources,
      ),
      this.#fold,
    );
    this.#show("running", "Looking for an answer");
  }

  stop() {
    this.#abort.abort();
  }

  async run() {
    const live = new LiveTrace(this.#ids.id, {
      onStage: (event) => this.#onStage(event),
      onLog: (line) => this.#trace.log(line),
      onEnd: (event) => this.#trace.end(event),
    });
    try {
      await live.opened();
      const response = await request("/api/ask", {
        method: "POST",
        json: { question: this.#question, limit: 5 },
        traceparent: this.#ids.traceparent,
        traceId: this.#ids.id,
        accept: "text/event-stream",
        signal: this.#abort.signal,
      });
      let done;
      await readEvents(response, (type, data) => {
        const read = JSON.parse(data);
        if (type === "sources") this.#onSources(read);
        else if (type === "token") this.#onToken(read.text);
        else if (type === "done") done = read;
        else if (type === "problem")
          throw new Problem({ trace_id: this.#ids.id, ...read, title: read.title || "The answer broke off" });
      });
      if (!done)
        throw new Problem({
          title: "The answer broke off",
          detail: "The connection ended before the answer did. Ask again.",
          trace_id: this.#ids.id,
        });
      this.#onDone(done);
    } catch (error) {
      this.#onFailure(error);
    }
    // The trace may end a moment after its answer; the next question need not wait for it.
    this.#settle(live);
  }

  async #settle(live) {
    const isWhole = await live.settled();
    live.close();
    if (!isWhole) await this.#readStored();
    // Of a trace whose end nobody tells it is known how its answer ended.
    const { state } = this.element.dataset;
    if (this.#trace.status === "running") this.#trace.end({ status: state === "empty" ? "completed" : state });
    this.#onTrace();
  }

  /** The trace as it was stored, where its events did not come. */
  async #readStored() {
    try {
      this.#trace = Trace.stored(await readTrace(this.#ids.id));
      this.#waterfall.show(this.#trace);
    } catch {
      // The stages that have come stay.
    }
  }

  #onStage(event) {
    this.#trace.stage(event);
    this.#onTrace();
  }

  #onTrace() {
    this.#fold.hidden = this.#trace.spans.size === 0;
    const [start, end] = this.#trace.extent();
    setText(
      this.#summary,
      `${counted(this.#trace.spans.size, "stage")} · ${duration(this.#trace.duration ?? end - start)}`,
    );
    this.#waterfall.changed();
  }

  #onSources(sources) {
    this.#passages = (Array.isArray(sources) ? sources : []).map((source, at) => passage(source, at + 1));
    this.#sources.hidden = this.#passages.length === 0;
    const id = `sources-${this.#ids.id}`;
    this.#sources.setAttribute("aria-labelledby", id);
    this.#sources.replaceChildren(element("h3", { id }, "Sources"), element("ol", {}, ...this.#passages));
    this.#text.sources = this.#passages.length;
    this.#show("running", "Answering");
  }

  #onToken(text) {
    this.#text.push(String(text ?? ""));
  }

  #onDone({ span_id: spanId, trace_id: traceId, answered, detail }) {
    this.#text.end();
    if (answered === false) {
      this.#show(
        "empty",
        this.#text.length > 0
          ? "The documents do not answer this."
          : "The documents do not answer this. Add some, or ask in other words.",
      );
      if (detail) this.#state.append(element("span", { class: "meta" }, ` (${name(detail)})`));
      announce("The documents do not answer this.");
    } else {
      this.#show("completed", `Answered from ${counted(this.#passages.length, "source")}`);
      const words = this.#text.start(READ_OUT);
      announce(`Answer: ${words} ${counted(this.#passages.length, "source")}.`);
    }
    this.#feedback.append(new Feedback(traceId ?? this.#ids.id, spanId).element);
  }

  #onFailure(error) {
    this.#text.end();
    if (error.name === "AbortError") {
      this.#show("cancelled", "Stopped");
      return announce("Stopped.");
    }
    this.#show("failed", "No answer");
    const mistake = () =>
      new Problem({ title: "The answer broke off", detail: String(error.message ?? error), trace_id: this.#ids.id });
    return this.#problem.replaceChildren(problemCard(error instanceof Problem ? error : mistake()));
  }

  #show(state, words) {
    this.element.dataset.state = state;
    this.#text.element.setAttribute("aria-busy", String(state === "running"));
    this.#light.replaceChildren(icon(state === "empty" ? "cancelled" : state));
    setText(this.#state, words);
  }

  #goTo(at) {
    const source = this.#passages[at - 1];
    if (!source) return;
    source.focus();
    source.scrollIntoView({ block: "nearest" });
  }
}
