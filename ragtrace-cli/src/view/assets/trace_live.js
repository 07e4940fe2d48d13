// A trace that still runs is read again until it has ended; in between, open bars grow by the clock.

import { announce } from "./waterfall_dom.js";

/** The shortest pause between two reads, in milliseconds. */
const PAUSE = 1_000;
/** A read is followed by a pause of this many times its own duration, so that a large trace costs little. */
const REST = 10;
/** What a failed read adds to the pause, at most. */
const PATIENCE = 30_000;

/** How often open bars grow, in milliseconds. */
const TICK = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2_000 : 500;

/** `changed` gets each new version of the columns, `grow` the time since the trace began, in microseconds. */
export function follow(page, address, { age, changed, grow }) {
  if (page.dataset.status !== "open") return;
  const loaded = performance.now();
  const ticker = setInterval(() => !document.hidden && grow((age ?? 0) + (performance.now() - loaded) * 1e3), TICK);
  const note = document.getElementById("still-running");
  let version = page.dataset.version;
  let failures = 0;
  const again = async () => {
    const begun = performance.now();
    try {
      const answer = await fetch(`${address}/waterfall.json?version=${encodeURIComponent(version)}`);
      if (!answer.ok && answer.status !== 204) throw new Error(String(answer.status));
      failures = 0;
      note.dataset.state = "following";
      if (answer.status !== 204) {
        const data = await answer.json();
        version = data.version;
        if (data.state !== "open") clearInterval(ticker);
        changed(data);
        if (data.state !== "open") return end(page, note, data.state);
      }
    } catch {
      failures += 1;
      note.dataset.state = "waiting";
    }
    const pause = Math.max(PAUSE, REST * (performance.now() - begun)) + Math.min(PATIENCE, failures * 2 * PAUSE);
    return setTimeout(whenSeen, pause);
  };
  // Nobody looks at a hidden page.
  const whenSeen = () => {
    if (!document.hidden) return again();
    return document.addEventListener("visibilitychange", whenSeen, { once: true });
  };
  setTimeout(whenSeen, PAUSE);
}

function end(page, note, status) {
  page.dataset.status = status;
  note.hidden = true;
  const ended = document.getElementById("has-ended");
  ended.hidden = false;
  ended.querySelector("[data-outcome]").textContent = status;
  announce(`The trace has ended: ${status}.`);
}
