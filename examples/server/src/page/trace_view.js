// A stored trace, by its permanent link `#trace=ID`.

import { Problem, getJson, isOurs } from "./api.js";
import { announce, copyButton, element, find, icon, longText, problemCard, setText } from "./dom.js";
import { counted, dateOf, dollars, duration, name } from "./format.js";
import { Trace } from "./trace.js";
import { Waterfall, logList } from "./waterfall.js";

/** The telemetry is a moment behind what it tells of: so long may a trace take to be found, in milliseconds. */
const SOON = 10_000;
const AGAIN = 500;

const WORDS = { running: "Running", completed: "Completed", failed: "Failed", cancelled: "Cancelled" };

let current = 0;

/** Shows the trace `id`. */
export async function showTrace(id) {
  const asked = ++current;
  const place = find("#trace-place");
  const heading = find("#trace-title");
  setText(heading, "Trace");
  if (!/^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(id)) {
    const detail = "The id of a trace has 32 hexadecimal digits, with or without the dashes of a UUID.";
    return place.replaceChildren(problemCard({ title: "This is no id of a trace", detail }));
  }
  place.replaceChildren(element("p", { class: "hint", "aria-busy": "true" }, "Reading the trace"));
  try {
    const data = await readTrace(id, () => asked === current);
    if (data) place.replaceChildren(...parts(Trace.stored(data), data, () => showTrace(id)));
  } catch (error) {
    if (asked !== current) return;
    place.replaceChildren(
      problemCard(
        error instanceof Problem
          ? error
          : { title: "The trace cannot be shown", detail: String(error.message ?? error) },
      ),
    );
  }
}

async function readTrace(id, isWanted) {
  const until = performance.now() + SOON;
  for (;;) {
    try {
      const data = await getJson(`/api/traces/${encodeURIComponent(id)}`);
      return isWanted() ? data : undefined;
    } catch (error) {
      if (!isWanted()) return undefined;
      if (!isOurs(id) || error.status !== 404 || performance.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

function parts(trace, data, again) {
  const root = trace.rows()[0]?.span;
  if (root) setText(find("#trace-title"), name(root.stage));
  const [start, end] = trace.extent();
  const cost = [...trace.spans.values()].reduce((sum, span) => sum + (span.cost ?? 0), 0);
  const facts = [
    ["Status", WORDS[trace.status]],
    ["Duration", duration(trace.duration ?? end - start)],
    ["Stages", String(trace.spans.size)],
    ["Cost", dollars(cost)],
    ["Begun", dateOf(start)],
    ["User", trace.user],
    ["Tenant", trace.tenant],
  ].filter(([, value]) => value);
  const waterfall = new Waterfall(trace, "Stages of the trace");
  const shown = [
    element(
      "div",
      { class: "card trace", "data-status": trace.status },
      element(
        "header",
        {},
        element("span", { class: "light" }, icon(trace.status)),
        element(
          "div",
          { class: "grow" },
          element("h2", { class: "unseen" }, "Summary"),
          element("code", { class: "whole-id" }, trace.id),
        ),
        copyButton(trace.id, "the trace id", "Copy id"),
        copyButton(location.href, "a link to this trace", "Copy link"),
        trace.status === "running"
          ? element("button", { type: "button", class: "button", click: again }, "Read again")
          : "",
      ),
      element(
        "dl",
        { class: "facts" },
        ...facts.map(([key, value]) => element("div", {}, element("dt", {}, key), element("dd", {}, longText(value)))),
      ),
      waterfall.element,
    ),
  ];
  if (trace.scores.length > 0)
    shown.push(section("Scores", element("ul", { class: "scores" }, ...trace.scores.map(score))));
  if (trace.logs.length > 0) shown.push(section(`Log`, logList(trace)));
  announce(`Trace read: ${WORDS[trace.status].toLowerCase()}, ${counted(trace.spans.size, "stage")}.`);
  return shown;
}

function section(title, content) {
  return element("section", { class: "card" }, element("h2", {}, title), content);
}

/** A score, whether a number, a flag or a label. */
function score(given) {
  const value = given.score ?? given.value ?? given.number ?? given.flag ?? given.label;
  const up = value === "up" || value === true || value === 1;
  const down = value === "down" || value === false || value === 0;
  return element(
    "li",
    {},
    up ? icon("up") : down ? icon("down") : "",
    element("span", { class: "score-name" }, name(given.name ?? "score")),
    element("span", {}, up ? "up" : down ? "down" : name(value ?? "")),
    given.by ? element("span", { class: "meta" }, `by ${name(given.by)}`) : "",
    given.comment ? element("q", {}, longText(given.comment)) : "",
  );
}
