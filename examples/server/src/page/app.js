// The page's views, by what follows `#` in its address.

import { startAsk } from "./ask.js";
import { startDocuments } from "./documents.js";
import { find, setText } from "./dom.js";
import { startSession } from "./session.js";
import { showTrace } from "./trace_view.js";

const VIEWS = { "": "documents", "#documents": "documents", "#ask": "ask" };
const TITLES = { documents: "Documents", ask: "Ask", trace: "Trace" };

/** Shows what the address names. The focus goes along, so that a keyboard and a screen reader are where the eye is. */
function show(moveFocus) {
  const trace = /^#trace=(.*)$/.exec(location.hash)?.[1];
  const isShown = Object.keys(TITLES).some((each) => !find(`#view-${each}`).hidden);
  // Any other is a place in the view that is shown.
  const view = trace === undefined ? (VIEWS[location.hash] ?? (isShown ? undefined : "documents")) : "trace";
  if (!view || !find("#sign-in").hidden) return;
  for (const each of Object.keys(TITLES)) {
    find(`#view-${each}`).hidden = each !== view;
    const link = find(`nav a[href="#${each}"]`);
    if (each === view) link?.setAttribute("aria-current", "page");
    else link?.removeAttribute("aria-current");
  }
  const back = find("#back");
  if (view !== "trace") {
    back.href = `#${view}`;
    setText(back, view === "ask" ? "Back to the answers" : "Back to documents");
  }
  document.title = `${TITLES[view]} · ragtrace`;
  if (trace !== undefined) showTrace(decode(trace));
  if (!moveFocus) return;
  const heading = find(`#view-${view} h1`);
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

addEventListener("hashchange", () => show(true));
// The address goes on naming the view, so that another visit finds it.
find(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  find("#main").focus();
});
startDocuments();
startAsk();
await startSession(() => show(true));
show(false);
