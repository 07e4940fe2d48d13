// The comparison of two traces: what differs alone, and from one difference to the next.

import { isTyping } from "./keys.js";

const table = document.getElementById("compare-table");
const only = document.getElementById("only-changed");
const next = document.getElementById("next-change");

/** The row that was gone to last. */
let current = -1;

/** A stage that is the same stays if a stage inside it differs, or nobody would know where that is. */
function showOnly(wanted) {
  const rows = [...table.tBodies[0].rows];
  const depth = (row) => Number(/indent-(\d+)/.exec(row.querySelector(".indent").className)[1]);
  let needed = -1;
  for (const row of rows.reverse()) {
    const level = depth(row);
    const stays = row.dataset.change !== "same" || needed > level;
    row.hidden = wanted && !stays;
    if (stays) needed = level;
  }
  only.setAttribute("aria-pressed", wanted);
}

function goToNext() {
  const rows = [...table.tBodies[0].rows];
  for (let away = 1; away <= rows.length; away += 1) {
    const at = (current + away) % rows.length;
    const row = rows[at];
    if (row.hidden || row.dataset.change === "same") continue;
    current = at;
    row.scrollIntoView({ block: "center" });
    const target = row.querySelector("a") ?? row;
    target.focus({ preventScroll: true });
    return;
  }
}

const keys = {
  d: () => showOnly(only.getAttribute("aria-pressed") !== "true"),
  e: goToNext,
  x: () => document.getElementById("exchange").click(),
};

only.addEventListener("click", keys.d);
next.addEventListener("click", goToNext);
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || isTyping(event) || document.querySelector("dialog[open]") || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
