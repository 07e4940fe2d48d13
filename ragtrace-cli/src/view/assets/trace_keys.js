// The keys of the page of a trace; those of the tree alone are in `waterfall_keys.js`.

import { isTyping } from "./keys.js";
import { announce } from "./waterfall_dom.js";

export function listenToKeys({ waterfall, search, panel, toolbar }) {
  const orSay = (found, text) => found || announce(text);
  const keys = {
    "/": () => search.focus(),
    j: () => waterfall.goToRow(waterfall.currentRow() + 1),
    k: () => waterfall.goToRow(waterfall.currentRow() - 1),
    n: () => search.step(1),
    N: () => search.step(-1),
    c: () => orSay(waterfall.goToNextCritical(1), "There is no critical path"),
    C: () => orSay(waterfall.goToNextCritical(-1), "There is no critical path"),
    e: () => orSay(waterfall.goToNextFailure(1), "No span failed"),
    E: () => orSay(waterfall.goToNextFailure(-1), "No span failed"),
    "+": () => toolbar.openMore(1),
    "=": () => toolbar.openMore(1),
    "-": () => toolbar.openMore(-1),
    "*": () => toolbar.openAll(),
    z: () => waterfall.zoomToCurrent(),
    0: () => waterfall.zoom(0, waterfall.scale.total),
    "[": () => document.getElementById("trace-newer")?.click(),
    "]": () => document.getElementById("trace-older")?.click(),
    Escape: () => panel.close(),
  };
  document.addEventListener("keydown", (event) => {
    // A dialog, such as the help, has the keyboard for itself.
    if (event.defaultPrevented || isTyping(event) || document.querySelector("dialog[open]")) return;
    const act = keys[event.key];
    if (!act) return;
    if (event.key !== "Escape") event.preventDefault();
    act();
  });
}
