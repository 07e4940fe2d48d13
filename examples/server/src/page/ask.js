// Questions: the answer as it comes, the passages it is drawn from, its trace, and a thumb.

import { Problem, newTrace, request } from "./api.js";
import { announce, bdi, element, find, icon, longText, problemCard, setText, traceId, unseen } from "./dom.js";
import { counted, duration, number, visible } from "./format.js";
import { LiveTrace } from "./live.js";
import { readEvents } from "./sse.js";
import { Trace } from "./trace.js";
import { Waterfall } from "./waterfall.js";

/** Characters of a question, as the service takes them. */
const LONGEST = 4_000;

/** Answers that the page keeps. */
const KEPT = 20;

/** How long an answer that is there waits for the rest of its trace, in milliseconds. */
const REST = 5_000;

/** A paragraph is cut here, so that a long one is not laid out again with each word. */
const PARAGRAPH = 4_000;

/** An answer is read out up to here. */
const READ_OUT = 600;

let running;

export function startAsk() {
  const form = find("#ask-form");
  const question = find("#question");
  const left = find("#question-left");
  const count = () => {
    const over = [...question.value].length - LONGEST;
    setText(left, over > -500 ? (over > 0 ? `${counted(over, "character")} too many` : `${counted(-over, "character")} left`) : "");
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
    const fault = text === "" ? "Write a question first." : [...text].length > LONGEST ? `A question has at most ${number(LONGEST)} characters.` : "";
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
      element("header", {}, element("h2", { id, class: "grow", dir: "auto" }, longText(question)), traceId(this.#ids.id)),
      element(
        "div",
        { class: "answer-body" },
        element("div", { class: "answer-main" }, this.#text.element, element("div", { class: "answer-line" }, this.#light, this.#state), this.#problem, this.#feedback),
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
    let settled;
    const rest = new Promise((resolve) => (settled = resolve));
    const live = new LiveTrace(this.#ids.id, {
      onStage: (event) => this.#onStage(event),
      onLog: (line) => this.#trace.log(line),
      onEnd: (event) => {
        this.#trace.end(event);
        this.#onTrace();
        settled();
      },
      onProblem: () => settled(),
    });
    const close = async () => {
      await Promise.race([rest, new Promise((resolve) => setTimeout(resolve, REST))]);
      live.close();
      if (this.#trace.status === "running") this.#trace.end({ status: "completed" });
      this.#onTrace();
    };
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
        else if (type === "problem") throw new Problem({ trace_id: this.#ids.id, ...read, title: read.title || "The answer broke off" });
      });
      if (!done) throw new Problem({ title: "The answer broke off", detail: "The connection ended before the answer did. Ask again.", trace_id: this.#ids.id });
      this.#onDone(done);
    } catch (error) {
      this.#onFailure(error);
    }
    // The trace may end a moment after its answer; the next question need not wait for it.
    close();
  }

  #onStage(event) {
    this.#trace.stage(event);
    this.#onTrace();
  }

  #onTrace() {
    this.#fold.hidden = this.#trace.spans.size === 0;
    const [start, end] = this.#trace.extent();
    setText(this.#summary, `${counted(this.#trace.spans.size, "stage")} · ${duration(this.#trace.duration ?? end - start)}`);
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

  #onDone({ span_id: spanId, trace_id: traceId, answered }) {
    this.#text.end();
    if (answered === false) {
      this.#show("empty", this.#text.length > 0 ? "The documents do not answer this." : "The documents do not answer this. Add some, or ask in other words.");
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
    const mistake = () => new Problem({ title: "The answer broke off", detail: String(error.message ?? error), trace_id: this.#ids.id });
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

function passage({ document: title, page, heading, score, text }, at) {
  const where = [page ? `page ${number(page)}` : "", heading ?? ""].filter(Boolean);
  const meter = element("span", { class: "score", title: "Similarity to the question" }, unseen("score "), Number.isFinite(score) ? score.toFixed(2) : "");
  const share = element("span", { class: "score-bar", "aria-hidden": "true" }, element("span"));
  share.firstElementChild.style.width = `${Math.max(0, Math.min(1, score || 0)) * 100}%`;
  return element(
    "li",
    { tabindex: "-1", class: "source" },
    element(
      "div",
      { class: "source-head" },
      element("span", { class: "source-number", "aria-hidden": "true" }, String(at)),
      element("p", { class: "grow" }, bdi(title ?? "no title", { class: "source-title" }), where.length > 0 && element("span", { class: "meta" }, " ", bdi(where.join(" · ")))),
      element("p", { class: "score-box" }, share, meter),
    ),
    text && element("details", {}, element("summary", {}, "Passage"), element("blockquote", {}, longText(text))),
  );
}

/** Text that grows. It is laid out once a frame, and only its last paragraph anew. */
class StreamedText {
  sources = 0;
  length = 0;
  #onCite;
  #paragraph;
  #written = "";
  #start = "";
  #frame = 0;

  constructor(onCite) {
    this.#onCite = onCite;
    this.element = element("div", { class: "answer-text", dir: "auto" });
  }

  push(text) {
    this.#written += text;
    this.length += text.length;
    if (this.#start.length < 10_000) this.#start += text;
    this.#frame ||= requestAnimationFrame(() => this.#layOut());
  }

  end() {
    cancelAnimationFrame(this.#frame);
    this.#layOut();
    // The last one is done too.
    this.#written = "";
  }

  /** The beginning in words, without the numbers of the sources. */
  start(length) {
    const words = visible(this.#start.replace(/\s*\[\d+\]/g, "").trim());
    return words.length <= length ? words : `${words.slice(0, length)}…`;
  }

  #layOut() {
    this.#frame = 0;
    for (;;) {
      const newline = this.#written.indexOf("\n");
      const cut = newline >= 0 && newline <= PARAGRAPH ? newline + 1 : this.#written.length > PARAGRAPH ? PARAGRAPH : 0;
      if (cut === 0) break;
      this.#fill(this.#written.slice(0, cut).replace(/\n$/, ""));
      this.#paragraph = undefined;
      this.#written = this.#written.slice(cut);
    }
    if (this.#written !== "") this.#fill(this.#written);
  }

  #fill(text) {
    if (text.trim() === "" && !this.#paragraph) return;
    if (!this.#paragraph) {
      this.#paragraph = element("p", { dir: "auto" });
      this.element.append(this.#paragraph);
    }
    const parts = visible(text).split(/\[(\d{1,3})\]/);
    this.#paragraph.replaceChildren(...parts.map((part, at) => (at % 2 === 0 ? part : this.#cite(Number(part)))));
  }

  #cite(at) {
    if (at < 1 || at > this.sources) return `[${at}]`;
    return element("button", { type: "button", class: "cite", click: () => this.#onCite(at) }, unseen("Source "), String(at));
  }
}

/** A thumb for an answer, with a comment by whoever has one. */
class Feedback {
  #traceId;
  #spanId;
  #score;
  #thumbs;
  #comment = element("input", { type: "text", maxlength: "2000", autocomplete: "off", id: `comment-${crypto.getRandomValues(new Uint32Array(1))[0]}` });
  #send = element("button", { type: "submit", class: "button" }, "Send");
  #form;
  #state = element("p", { class: "feedback-state", tabindex: "-1" });
  #problem = element("div");

  constructor(traceId, spanId) {
    this.#traceId = traceId;
    this.#spanId = spanId;
    this.#thumbs = [this.#thumb("up", "Good answer"), this.#thumb("down", "Bad answer")];
    this.#form = element(
      "form",
      { class: "comment", hidden: true, submit: (event) => this.#onSend(event) },
      element("label", { for: this.#comment.id }, "Comment (optional)"),
      element("div", { class: "comment-line" }, this.#comment, this.#send),
    );
    const group = element("div", { class: "thumbs", role: "group", "aria-label": "Was this a good answer?" }, ...this.#thumbs);
    this.element = element("div", { class: "feedback" }, group, this.#form, this.#state, this.#problem);
  }

  #thumb(score, label) {
    return element("button", { type: "button", class: "thumb", "aria-pressed": "false", "data-score": score, click: () => this.#choose(score) }, icon(score), element("span", {}, label));
  }

  #choose(score) {
    this.#score = score;
    for (const thumb of this.#thumbs) thumb.setAttribute("aria-pressed", String(thumb.dataset.score === score));
    setText(this.#state, "");
    this.#form.hidden = false;
    this.#comment.focus();
  }

  async #onSend(event) {
    event.preventDefault();
    if (this.#send.disabled) return;
    this.#send.disabled = true;
    const comment = this.#comment.value.trim();
    const json = { trace_id: this.#traceId, score: this.#score };
    if (this.#spanId) json.span_id = this.#spanId;
    if (comment) json.comment = comment;
    try {
      await request("/api/feedback", { method: "POST", json, traceId: this.#traceId });
      this.#problem.replaceChildren();
      this.#form.hidden = true;
      this.#comment.value = "";
      const words = `${this.#score === "up" ? "Good answer" : "Bad answer"}${comment ? ", with your comment" : ""}`;
      this.#state.replaceChildren(icon("completed"), `Recorded with the trace: ${words}.`);
      this.#state.focus();
      announce("Feedback recorded.");
    } catch (error) {
      this.#problem.replaceChildren(problemCard(error));
    } finally {
      this.#send.disabled = false;
    }
  }
}
