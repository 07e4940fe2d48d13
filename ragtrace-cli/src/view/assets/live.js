// Follows new records. The server sends rows as HTML, escaped as on the page itself.

import { isTyping } from "./keys.js";
import { nameLocalTimes } from "./times.js";

/** The largest number of rows in the table; older ones go. */
const MOST = 500;
/** The largest number of rows that wait while the page is paused. */
const WAITING = 500;

const records = document.getElementById("records");
const body = records.tBodies[0];
const running = document.getElementById("running");
const nothing = document.getElementById("nothing");
const state = document.getElementById("live-state");
const pause = document.getElementById("live-pause");

let waiting = [];
let dropped = 0;
let isPaused = false;

const known = new Set([...body.rows].map((row) => row.dataset.id));

/** Returns the elements of a piece of HTML. Rows have to stand in a table to be read as such. */
function parse(html, wrap) {
  const read = new DOMParser().parseFromString(wrap ? `<table><tbody>${html}</tbody></table>` : html, "text/html");
  return wrap ? [...read.querySelector("tbody").rows] : [...read.body.childNodes];
}

function show(name, text) {
  state.dataset.state = name;
  state.textContent = text;
}

function showOpen() {
  if (!isPaused) return show("open", "following");
  const more = waiting.length + dropped;
  show("paused", more > 0 ? `paused, ${more.toLocaleString("en")} new` : "paused");
}

function add(rows) {
  for (const row of rows) {
    if (known.has(row.dataset.id)) continue;
    known.add(row.dataset.id);
    row.classList.add("new");
    nameLocalTimes(row);
    body.prepend(row);
  }
  while (body.rows.length > MOST) {
    const last = body.rows[body.rows.length - 1];
    known.delete(last.dataset.id);
    last.remove();
  }
  nothing.hidden = body.rows.length > 0;
}

function setPaused(paused) {
  isPaused = paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Go on" : "Pause";
  if (!paused) {
    add(waiting);
    waiting = [];
    dropped = 0;
  }
  showOpen();
}

pause.addEventListener("click", () => setPaused(!isPaused));
document.getElementById("live-clear").addEventListener("click", () => {
  body.replaceChildren();
  known.clear();
  nothing.hidden = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || isTyping(event) || event.target.closest("button, a, summary")) return;
  event.preventDefault();
  setPaused(!isPaused);
});

const stream = new EventSource(records.dataset.stream);

stream.addEventListener("open", showOpen);
stream.addEventListener("rows", (event) => {
  const rows = parse(event.data, true);
  if (!isPaused) {
    add(rows);
    return showOpen();
  }
  waiting.push(...rows);
  if (waiting.length > WAITING) dropped += waiting.splice(0, waiting.length - WAITING).length;
  showOpen();
});
stream.addEventListener("running", (event) => {
  // Who is in the list by keyboard keeps the place.
  if (running.contains(document.activeElement)) return;
  running.replaceChildren(...parse(event.data, false));
  nameLocalTimes(running);
});
stream.addEventListener("gap", (event) => show("open", `${Number(event.data).toLocaleString("en")} records were left out`));
stream.addEventListener("trouble", (event) => show("trouble", event.data));
stream.addEventListener("end", () => show("trouble", "the viewer has ended; this page comes back with it"));
stream.onerror = () => {
  if (stream.readyState === EventSource.CLOSED) show("trouble", "the stream is closed: reload the page");
  else if (state.dataset.state !== "trouble") show("trouble", "the connection is lost; trying again…");
};
// A stream that the page leaves open would take one of the six connections of the next page.
addEventListener("pagehide", () => stream.close());
addEventListener("pageshow", (event) => event.persisted && location.reload());
