// Loads parts of a page after the page itself: charts, whose counts take longer than the list.

import { nameLocalTimes } from "./times.js";

/** Fills each element with `data-load` with what that address returns, which the viewer itself wrote. */
export function loadParts(root) {
  for (const part of root.querySelectorAll("[data-load]")) load(part);
}

async function load(part) {
  part.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(part.dataset.load, { headers: { accept: "text/html" } });
    const text = await response.text();
    if (!response.ok) throw new Error(`status ${response.status}`);
    const loaded = new DOMParser().parseFromString(text, "text/html");
    part.replaceChildren(...loaded.body.childNodes);
    nameLocalTimes(part);
    part.dispatchEvent(new CustomEvent("loaded", { bubbles: true }));
  } catch (error) {
    part.textContent = `This part could not be loaded (${error.message}). Reload the page to try again.`;
  } finally {
    part.removeAttribute("aria-busy");
  }
}
