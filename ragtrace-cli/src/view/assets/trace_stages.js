// The stages of the trace as a table: how often each ran, and where the time and the money went.

import { element } from "./waterfall_dom.js";
import { cost, duration, number, percent } from "./waterfall_format.js";
import { COMPLETED, FAILED } from "./waterfall_model.js";

const COLUMNS = [
  ["stage", "Stage", (row) => row.stage],
  ["runs", "Runs", (row) => number(row.runs)],
  ["total", "Total", (row) => duration(row.total)],
  ["self", "Self", (row) => duration(row.self)],
  ["critical", "Critical", (row, sums) => (row.critical > 0 ? `${duration(row.critical)} · ${percent(row.critical / sums.critical)}` : "")],
  ["longest", "Longest", (row) => duration(row.longest)],
  ["items", "Items", (row) => (row.items > 0 ? number(row.items) : "")],
  ["failed", "Failed", (row) => (row.failed > 0 ? number(row.failed) : "")],
  ["cost", "Cost", (row) => (row.cost > 0 ? cost(row.cost) : "")],
];

export class StageTable {
  #table;
  #waterfall;
  #find;
  #sorted = "critical";
  #ascending = false;

  /** `find` searches for a stage's name. */
  constructor(table, waterfall, find) {
    this.#table = table;
    this.#waterfall = waterfall;
    this.#find = find;
  }

  draw() {
    const rows = sums(this.#waterfall.model);
    const whole = { critical: rows.reduce((sum, row) => sum + row.critical, 0) || 1 };
    const key = this.#sorted;
    const compare = (a, b) => (key === "stage" ? a.stage.localeCompare(b.stage) : a[key] - b[key]);
    rows.sort((a, b) => (this.#ascending ? compare(a, b) : -compare(a, b)) || b.total - a.total);
    this.#table.replaceChildren(
      element("thead", {}, element("tr", {}, ...COLUMNS.map((column) => this.#head(column)))),
      element("tbody", {}, ...rows.map((row) => this.#row(row, whole))),
    );
  }

  #head([key, title]) {
    const sort = this.#sorted === key ? (this.#ascending ? "ascending" : "descending") : undefined;
    const press = () => {
      this.#ascending = this.#sorted === key ? !this.#ascending : key === "stage";
      this.#sorted = key;
      this.draw();
      this.#table.querySelector(`button[data-key="${key}"]`)?.focus();
    };
    const button = element("button", { type: "button", "data-key": key, click: press }, title);
    return element("th", { scope: "col", "aria-sort": sort }, button);
  }

  #row(row, whole) {
    const press = () => this.#find(row.stage);
    const name = element("button", { type: "button", title: "Find its runs", click: press }, element("bdi", {}, row.stage));
    const cells = COLUMNS.slice(1).map(([key, , text]) => element("td", { class: `is-${key}` }, text(row, whole)));
    return element("tr", { class: row.failed > 0 && "has-failed" }, element("th", { scope: "row" }, name), ...cells);
  }
}

function sums(model) {
  const empty = () => ({ runs: 0, total: 0, self: 0, critical: 0, longest: 0, items: 0, failed: 0, others: 0, cost: 0 });
  const rows = model.data.stages.map((stage) => ({ stage, ...empty() }));
  for (let at = 0; at < model.size; at += 1) {
    const row = rows[model.data.stage[at]];
    const status = model.status(at);
    row.runs += 1;
    row.total += model.elapsed(at);
    row.self += model.self[at] || 0;
    row.critical += model.criticalTime[at];
    row.longest = Math.max(row.longest, model.elapsed(at));
    row.items += model.count[at] || 0;
    row.failed += status === FAILED ? 1 : 0;
    row.others += status !== FAILED && status !== COMPLETED ? 1 : 0;
    row.cost += model.cost[at] || 0;
  }
  return rows.filter((row) => row.runs > 0);
}
