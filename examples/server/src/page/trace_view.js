// A stored trace, by its permanent link `#trace=ID`.

import { Problem, readTrace } from "./api.js";
import { announce, copyButton, element, find, icon, longText, problemCard, setText } from "./dom.js";
import { counted, dateOf, dollars, duration, name } from "./format.js";
import { logList } from "./logs.js";
import { Trace } from "./trace.js";
import { Waterfall } from "./waterfall.js";

/** How often a trace that runs is read again, in milliseconds, and how many times. */
const AGAIN = 1_000;
const TIMES = 60;

const WORDS = { running: "Running", completed: "Completed", failed: "Failed", cancelled: "Cancelled" };

const ID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

let current = 0;

/** Shows the trace `id`, and what becomes of it while it runs. */
export async function showTrace(id) {
  const asked = ++current;
  const place = find("#trace-place");
  setText(find("#trace-title"), "Trace");
  if (!ID.test(id)) {
    const detail = "The id of a trace has 32 hexadecimal digits, with or without the dashes of a UUID.";
    return place.replaceChildren(problemCard({ title: "This is no id of a trace", detail }));
  }
  place.replaceChildren(element("p", { class: "hint", "aria-busy": "true" }, "Reading the trace"));
  try {
    let view;
    for (let times = 0; times < TIMES; times += 1) {
      const data = await readTrace(id, () => asked === current);
      if (asked !== current) return;
      const trace = Trace.stored(data);
      if (!view) {
        view = new TraceView(trace);
        place.replaceChildren(view.element);
        announce(`Trace read: ${WORDS[trace.status].toLowerCase()}, ${counted(trace.spans.size, "stage")}.`);
      }
      view.show(trace);
      if (trace.status !== "running") return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
      if (asked !== current) return;
    }
  } catch (error) {
    if (asked !== current) return;
    const problem = { title: "The trace cannot be shown", detail: String(error.message ?? error) };
    place.replaceChildren(problemCard(error instanceof Problem ? error : problem));
  }
}

class TraceView {
  #light = element("span", { class: "light" });
  #facts = element("dl", { class: "facts" });
  #card;
  #rest = element("div", { class: "stack" });
  #waterfall;

  constructor(trace) {
    this.#waterfall = new Waterfall(trace, "Stages of the trace");
    const head = element(
      "header",
      {},
      this.#light,
      element(
        "div",
        { class: "grow" },
        element("h2", { class: "unseen" }, "Summary"),
        element("code", { class: "whole-id" }, trace.id),
      ),
      copyButton(trace.id, "the trace id", "Copy id"),
      copyButton(location.href, "a link to this trace", "Copy link"),
    );
    this.#card = element("div", { class: "card trace" }, head, this.#facts, this.#waterfall.element);
    this.element = element("div", {}, this.#card, this.#rest);
  }

  show(trace) {
    const root = trace.rows()[0]?.span;
    setText(find("#trace-title"), root ? name(root.stage) : "Trace");
    this.#card.dataset.status = trace.status;
    this.#light.replaceChildren(icon(trace.status));
    this.#facts.replaceChildren(...facts(trace));
    this.#waterfall.show(trace);
    const rest = [];
    if (trace.scores.length > 0) {
      rest.push(section("Scores", element("ul", { class: "scores" }, ...trace.scores.map(score))));
    }
    if (trace.logs.length > 0) rest.push(section("Log", logList(trace)));
    this.#rest.replaceChildren(...rest);
  }
}

function facts(trace) {
  const [start, end] = trace.extent();
  const cost = [...trace.spans.values()].reduce((sum, span) => sum + (span.cost ?? 0), 0);
  const all = [
    ["Status", WORDS[trace.status]],
    ["Duration", duration(trace.duration ?? end - start)],
    ["Stages", String(trace.spans.size)],
    ["Cost", dollars(cost)],
    ["Begun", dateOf(start)],
    ["User", trace.user],
    ["Tenant", trace.tenant],
  ];
  return all
    .filter(([, value]) => value)
    .map(([key, value]) => element("div", {}, element("dt", {}, key), element("dd", {}, longText(value))));
}

function section(title, content) {
  return element("section", { class: "card" }, element("h2", {}, title), content);
}

/** A score: a thumb, a number or a label. */
function score({ name: what, value, by, comment }) {
  const thumb = value === true ? "up" : value === false ? "down" : undefined;
  return element(
    "li",
    {},
    thumb && icon(thumb),
    element("span", { class: "score-name" }, name(what ?? "score")),
    element("span", {}, thumb ?? name(value ?? "")),
    by && element("span", { class: "meta" }, `by ${name(by)}`),
    comment && element("q", {}, longText(comment)),
  );
}
