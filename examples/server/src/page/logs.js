// The log lines of a trace.

import { element, longText } from "./dom.js";
import { name, number } from "./format.js";

export function logList(trace) {
  const items = trace.logs.map((line) => {
    const level = String(line.level ?? "INFO").toUpperCase();
    const context = Object.entries(line.context ?? {}).map(
      ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
    return element(
      "li",
      { "data-level": level },
      element("span", { class: "log-level" }, name(level)),
      element(
        "span",
        { class: "log-message" },
        longText(line.message ?? ""),
        context.length > 0 && longText(` ${context.join(" ")}`, { class: "meta" }),
      ),
    );
  });
  const left =
    trace.logsLeftOut > 0 && element("p", { class: "hint" }, `${number(trace.logsLeftOut)} more are not shown here.`);
  return element("div", {}, element("ol", { class: "logs" }, ...items), left);
}
