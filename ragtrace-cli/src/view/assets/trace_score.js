// The form that gives a score. It is there only where the viewer may write.

import { reason, send } from "./api.js";
import { announce } from "./waterfall_dom.js";

/** Takes over every score form of the page, also those that come with a span's panel. */
export function listenToScores(page, done) {
  page.addEventListener("submit", (event) => {
    const form = event.target.closest("form.score-form");
    if (!form) return;
    event.preventDefault();
    give(form, done);
  });
  page.addEventListener("change", (event) => {
    const select = event.target.closest("form.score-form select[name=type]");
    if (select) showValue(select.form);
  });
}

/** A number, yes or no, or a label: each has a field of its own. */
function showValue(form) {
  const type = form.elements.type.value;
  for (const field of form.querySelectorAll("[data-type]")) {
    field.hidden = field.dataset.type !== type;
    for (const control of field.querySelectorAll("input, select")) control.disabled = field.hidden;
  }
}

async function give(form, done) {
  const state = form.querySelector(".score-state");
  const say = (text, bad) => {
    state.textContent = text;
    state.classList.toggle("is-bad", bad);
    announce(text);
  };
  const { elements } = form;
  const comment = elements.comment.value.trim();
  const body = {
    trace_id: form.dataset.trace,
    ...(form.dataset.span && { span_id: form.dataset.span }),
    name: elements.name.value.trim(),
    value: valueOf(elements),
    ...(comment && { comment }),
  };
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    const answer = await send("POST", "/api/scores", body);
    if (!answer.ok) return say(await reason(answer), true);
    say("The score is stored.", false);
    form.reset();
    showValue(form);
    add(form, { ...body, by: "human" });
    return done();
  } catch (error) {
    return say(`the score was not stored: ${error.message}`, true);
  } finally {
    button.disabled = false;
  }
}

function valueOf({ type, number, flag, label }) {
  if (type.value === "number") return Number(number.value);
  if (type.value === "flag") return flag.value === "yes";
  return label.value.trim();
}

/** Shows the score beside the others at once; a reload brings it from the store. */
function add(form, { name, value, by, comment }) {
  const list = form.closest("section")?.querySelector("ul.scores");
  if (!list || form.dataset.span) return;
  const item = document.createElement("li");
  const said = value === true ? "yes" : value === false ? "no" : String(value);
  item.textContent = `${name} ${said} · by ${by}${comment ? ` · ${comment}` : ""}`;
  list.hidden = false;
  list.append(item);
}
