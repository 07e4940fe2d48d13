// A thumb for an answer.

import { request } from "./api.js";
import { element, icon, problemCard, setText } from "./dom.js";

/** A thumb, with a comment by whoever has one. */
export class Feedback {
  #traceId;
  #spanId;
  #score;
  #thumbs;
  #comment = element("input", {
    type: "text",
    maxlength: "2000",
    autocomplete: "off",
    id: `comment-${crypto.getRandomValues(new Uint32Array(1))[0]}`,
  });
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
    const group = element(
      "div",
      { class: "thumbs", role: "group", "aria-label": "Was this a good answer?" },
      ...this.#thumbs,
    );
    this.element = element("div", { class: "feedback" }, group, this.#form, this.#state, this.#problem);
  }

  #thumb(score, label) {
    return element(
      "button",
      {
        type: "button",
        class: "thumb",
        "aria-pressed": "false",
        "data-score": score,
        click: () => this.#choose(score),
      },
      icon(score),
      element("span", {}, label),
    );
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
    } catch (error) {
      this.#problem.replaceChildren(problemCard(error));
    } finally {
      this.#send.disabled = false;
    }
  }
}
