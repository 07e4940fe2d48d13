// Elements. Whatever came from outside is set as text here, and never as markup.

import { name, number, visible } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";

/** How often what runs is drawn anew, in milliseconds. */
export const TICK = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1_000 : 100;

/** Longer texts are cut until somebody asks for the whole. */
const CLIP = 1_200;

export function find(selector, within = document) {
  return within.querySelector(selector);
}

/** An element. A property that is a function listens to the event of its name; a string among the children is text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") made.addEventListener(key, value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child || child === 0));
  return made;
}

/** A symbol of the sprite in `index.html`. Decoration: the words beside it say the same. */
export function icon(symbol) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon icon-${symbol}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${symbol}`);
  svg.append(use);
  return svg;
}

/** Words for screen readers alone. */
export function unseen(text) {
  return element("span", { class: "unseen" }, text);
}

/** A name from outside, which keeps its writing direction to itself. */
export function bdi(text, properties = {}) {
  return element("bdi", properties, name(text));
}

/** A text from outside; a long one ends after some lines with a button that brings the rest. */
export function longText(text, properties = {}) {
  const whole = visible(text);
  const box = element("span", { ...properties, class: `text ${properties.class ?? ""}`, dir: "auto" });
  if (whole.length <= CLIP) {
    box.append(whole);
    return box;
  }
  const more = element(
    "button",
    { type: "button", class: "quiet small" },
    `Show all ${number(whole.length)} characters`,
  );
  const cut = document.createTextNode(`${whole.slice(0, CLIP)}… `);
  more.addEventListener("click", () => {
    cut.data = whole;
    box.tabIndex = -1;
    box.focus();
    more.remove();
  });
  box.append(cut, more);
  return box;
}

/** A change of text that touches the document only if there is one. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let said = [];

/** Has screen readers say a sentence. What comes in one moment is said in one breath. */
export function announce(text) {
  said.push(text);
  if (said.length > 1) return;
  setTimeout(() => {
    const region = find("#announcements");
    region.replaceChildren(element("p", {}, said.join(" ")));
    said = [];
  }, 100);
}

/** A button that copies `text`, which is `what`. */
export function copyButton(text, what, words = "Copy") {
  const label = element("span", {}, words);
  const button = element(
    "button",
    { type: "button", class: "quiet small copy" },
    icon("copy"),
    label,
    words === "Copy" ? unseen(` ${what}`) : "",
  );
  button.addEventListener("click", async () => {
    const done = await copy(text);
    setText(label, done ? "Copied" : "Not copied");
    announce(done ? `Copied ${what}.` : `The browser did not let the page copy ${what}.`);
    setTimeout(() => setText(label, words), 2_000);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // There is no clipboard on a page that came over plain HTTP from another machine.
    const area = element("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return done;
  }
}

export function traceLink(id, text = "Open trace") {
  return element("a", { href: `#trace=${id}`, class: "trace-link" }, text);
}

/** The id of a trace: short to the eye, whole in the clipboard, and a link to the trace. */
export function traceId(id) {
  return element(
    "span",
    { class: "trace-id" },
    element(
      "a",
      { href: `#trace=${id}`, title: id },
      unseen(`Trace ${id}`),
      element("code", { "aria-hidden": "true" }, `${id.slice(0, 8)}…${id.slice(-4)}`),
    ),
    copyButton(id, "the trace id"),
  );
}

/** An error with what led to it, the cause last. */
export function errorChain(error) {
  const chain = Array.isArray(error?.chain) ? error.chain : [];
  const message = error?.message ?? chain[0] ?? "no message was recorded";
  const causes = chain[0] === message ? chain.slice(1) : chain;
  return element(
    "div",
    { class: "error-chain" },
    element("p", { class: "error-message" }, longText(message)),
    causes.length > 0 &&
      element("ol", { "aria-label": "Caused by" }, ...causes.map((cause) => element("li", {}, longText(cause)))),
    error?.type && element("p", { class: "error-type" }, element("code", {}, name(error.type))),
  );
}

/** Problem details (RFC 9457) as a card that says itself. */
export function problemCard(problem) {
  const errors = (Array.isArray(problem.errors) ? problem.errors : []).map((each) =>
    element(
      "li",
      {},
      longText(typeof each === "string" ? each : (each.detail ?? each.message ?? JSON.stringify(each))),
    ),
  );
  return element(
    "div",
    { class: "problem", role: "alert" },
    icon("failed"),
    element(
      "div",
      {},
      element("p", { class: "problem-title" }, longText(problem.title)),
      problem.detail && element("p", {}, longText(problem.detail)),
      errors.length > 0 && element("ul", {}, ...errors),
      element(
        "p",
        { class: "meta" },
        problem.status ? element("span", {}, `Status ${problem.status}`) : "",
        problem.trace_id ? traceId(problem.trace_id) : "",
      ),
    ),
  );
}
