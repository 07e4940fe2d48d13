// Moves through the rows of a list by key. A row is the link in it, so Enter opens it by itself.

import { isTyping } from "./keys.js";

export function listenForRows() {
  document.addEventListener("keydown", (event) => {
    if (isTyping(event) || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
    if (event.key === "n") document.querySelector('a[rel="next"]')?.click();
    if (event.key === "p") document.querySelector('a[rel="prev"]')?.click();
  });
}

function move(by) {
  // A row of a table has one link that stands for it, whatever else it links.
  const isFirst = (row) => (row.closest("tr")?.querySelector("a[data-row]") ?? row) === row;
  const rows = [...document.querySelectorAll("a[data-row]")].filter((row) => row.offsetParent !== null && isFirst(row));
  if (rows.length === 0) return;
  const current = document.activeElement?.closest("tr")?.querySelector("a[data-row]") ?? document.activeElement;
  const at = rows.indexOf(current);
  const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)] ?? rows[0];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}
