// Buttons that copy an id, a text or the page's address.

import { announce } from "./waterfall_dom.js";

/** Milliseconds for which a button says that it has copied. */
const SAID = 1_500;

export function listenToCopies(page) {
  page.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy], button[data-copy-from]");
    if (button) copy(button);
  });
}

async function copy(button) {
  const from = button.dataset.copyFrom;
  const text = from ? document.getElementById(from)?.textContent : button.dataset.copy || location.href;
  const before = button.textContent;
  if (button.dataset.said) return;
  const done = await write(text ?? "");
  button.dataset.said = "true";
  button.textContent = done ? "Copied" : "Not copied";
  announce(done ? "Copied" : "The browser did not allow copying");
  setTimeout(() => {
    button.textContent = before;
    delete button.dataset.said;
  }, SAID);
}

/** Browsers offer the clipboard to pages of this machine and over HTTPS; elsewhere a selection is copied. */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "copy-source";
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return done;
  }
}
