// A passage that an answer is drawn from.

import { bdi, element, longText, unseen } from "./dom.js";
import { number } from "./format.js";

/** The passage with the number `at`, which the answer cites it by. */
export function passage({ document: title, page, heading, score, text }, at) {
  const where = [page ? `page ${number(page)}` : "", heading ?? ""].filter(Boolean);
  const meter = element(
    "span",
    { class: "score", title: "Similarity to the question" },
    unseen("score "),
    Number.isFinite(score) ? score.toFixed(2) : "",
  );
  const share = element("span", { class: "score-bar", "aria-hidden": "true" }, element("span"));
  share.firstElementChild.style.width = `${Math.max(0, Math.min(1, score || 0)) * 100}%`;
  return element(
    "li",
    { tabindex: "-1", class: "source" },
    element(
      "div",
      { class: "source-head" },
      element("span", { class: "source-number", "aria-hidden": "true" }, String(at)),
      element(
        "p",
        { class: "grow" },
        bdi(title ?? "no title", { class: "source-title" }),
        where.length > 0 && element("span", { class: "meta" }, " ", bdi(where.join(" · "))),
      ),
      element("p", { class: "score-box" }, share, meter),
    ),
    text && element("details", {}, element("summary", {}, "Passage"), element("blockquote", {}, longText(text))),
  );
}
