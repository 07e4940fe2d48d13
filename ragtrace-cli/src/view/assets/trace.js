// The page of a trace: its waterfall with all that acts on it, the panel of one span, and what the
// address says.

import { announce } from "./waterfall_dom.js";
import { counted } from "./waterfall_format.js";
import { Minimap } from "./waterfall_minimap.js";
import { FAILED, Model, STATUS_WORDS } from "./waterfall_model.js";
import { Search } from "./waterfall_search.js";
import { Waterfall } from "./waterfall.js";
import { listenToCopies } from "./trace_copy.js";
import { listenToKeys } from "./trace_keys.js";
import { follow } from "./trace_live.js";
import { findNeighbours } from "./trace_neighbours.js";
import { Panel } from "./trace_panel.js";
import { listenToScores } from "./trace_score.js";
import { StageTable } from "./trace_stages.js";
import { Toolbar } from "./trace_toolbar.js";

/** Milliseconds for which a row has to be the current one before an open panel shows it. */
const READ_ALONG = 250;

const find = (id) => document.getElementById(id);

function begin() {
  const page = find("trace");
  listenToCopies(page);
  const model = new Model(JSON.parse(find("trace-data").textContent));
  if (model.size === 0) return;
  const address = `/trace/${page.dataset.trace}`;
  const parts = { scroller: find("wf-scroll"), tree: find("wf-tree"), axis: find("wf-axis"), grid: find("wf-lines") };
  const waterfall = new Waterfall(parts, model);
  const minimap = new Minimap(
    { box: find("wf-minimap"), canvas: find("wf-map"), pane: find("wf-pane"), from: find("wf-from"), to: find("wf-to") },
    waterfall,
  );
  const search = new Search(
    {
      input: find("wf-search"),
      output: find("wf-found"),
      next: find("wf-next"),
      previous: find("wf-previous"),
      address: `${address}/find.json`,
    },
    waterfall,
  );
  const panel = new Panel({ box: find("panel"), body: find("panel-body"), close: find("panel-close"), page }, address);
  const stages = new StageTable(find("stage-table"), waterfall, (stage) => search.goTo(stage));
  const toolbar = new Toolbar(find("wf-toolbar"), waterfall);

  const show = () => {
    const span = spanOfAddress();
    panel.show(span);
    const at = span ? waterfall.model.indexOf(span) : -1;
    if (at >= 0 && at !== waterfall.current) waterfall.go(at, { focus: false });
  };
  waterfall.addEventListener("open", (event) => {
    if (spanOfAddress() !== event.detail) location.hash = `span=${event.detail}`;
    else panel.focus();
  });
  // Who walks through the tree with the panel open reads along, and goes back with one press.
  let reading = 0;
  waterfall.addEventListener("moved", () => {
    clearTimeout(reading);
    reading = setTimeout(() => {
      const span = waterfall.model.id(waterfall.current);
      if (!panel.isOpen || spanOfAddress() === span) return;
      history.replaceState(null, "", `#span=${span}`);
      panel.show(span);
    }, READ_ALONG);
  });
  panel.addEventListener("closed", () => {
    if (spanOfAddress()) history.pushState(null, "", location.pathname + location.search);
    waterfall.go(waterfall.current);
  });
  panel.addEventListener("go", (event) => {
    location.hash = `span=${event.detail}`;
  });
  window.addEventListener("hashchange", show);
  window.addEventListener("popstate", show);

  listenToKeys({ waterfall, search, panel, toolbar });
  listenToScores(page, () => panel.refresh());
  findNeighbours(address, page.dataset.from);
  const changed = (data) => {
    waterfall.replaceModel(new Model(data));
    minimap.draw();
    stages.draw();
    search.refresh();
  };
  follow(page, address, { age: model.data.age, changed, grow: (extent) => waterfall.grow(extent) });

  if (spanOfAddress()) show();
  else openFirstFailure(waterfall);
  waterfall.changed();
  minimap.draw();
  stages.draw();
  page.dataset.ready = "true";
  announce(`Trace ${page.dataset.status === "open" ? STATUS_WORDS.o : page.dataset.status}, ${counted(model.size, "span")}.`);
}

/** A failed trace begins at the failure: the current row is the innermost span that failed first. */
function openFirstFailure(waterfall) {
  const { model } = waterfall;
  for (let at = 0; at < model.size; at += 1) {
    if (model.status(at) === FAILED && model.troublesIn(at) === 1) return waterfall.go(at, { focus: false });
  }
  return undefined;
}

function spanOfAddress() {
  return /^#span=([0-9a-f]{16})$/.exec(location.hash)?.[1];
}

begin();
