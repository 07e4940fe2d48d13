// The controls above the waterfall: which rows are open, which are left out, and what bars mean.

import { announce } from "./waterfall_dom.js";
import { counted } from "./waterfall_format.js";

export class Toolbar {
  #waterfall;
  #controls;

  constructor(box, waterfall) {
    this.#waterfall = waterfall;
    const control = (name) => box.querySelector(`[data-control="${name}"]`);
    this.#controls = { critical: control("critical"), shortest: control("shortest"), costs: control("costs"), whole: control("whole") };
    const { critical, shortest, costs, whole } = this.#controls;
    control("more").addEventListener("click", () => this.openMore(1));
    control("less").addEventListener("click", () => this.openMore(-1));
    control("all").addEventListener("click", () => this.openAll());
    control("failure").addEventListener("click", () => waterfall.goToNextFailure(1));
    whole.addEventListener("click", () => waterfall.zoom(0, waterfall.scale.total));
    critical.addEventListener("click", () => this.#filter(() => (waterfall.model.onlyCritical = !waterfall.model.onlyCritical)));
    shortest.addEventListener("change", () => {
      this.#filter(() => (waterfall.model.shortest = Number(shortest.value) * waterfall.model.extent));
    });
    costs.addEventListener("click", () => waterfall.showCosts(waterfall.scale.unit !== "cost"));
    waterfall.addEventListener("changed", () => this.#update());
    this.#update();
  }

  /** Opens or closes one level everywhere. */
  openMore(by) {
    const { model } = this.#waterfall;
    const levels = Math.max(1, model.levels() + by);
    model.openLevels(levels);
    this.#waterfall.arrange();
    announce(`${counted(levels, "level")} open, ${counted(model.rowCount, "row")}`);
  }

  openAll() {
    this.#waterfall.model.closed.fill(0);
    this.#waterfall.arrange();
    announce(`All open, ${counted(this.#waterfall.model.rowCount, "row")}`);
  }

  #filter(change) {
    change();
    this.#waterfall.arrange();
    announce(counted(this.#waterfall.model.rowCount, "row"));
  }

  /** What a search or an address has opened shows in the controls, too. */
  #update() {
    const { model, scale } = this.#waterfall;
    const { critical, shortest, costs, whole } = this.#controls;
    critical.setAttribute("aria-pressed", model.onlyCritical);
    critical.disabled = model.data.critical.length === 0;
    costs.setAttribute("aria-pressed", scale.unit === "cost");
    costs.disabled = model.costSums[model.size] === 0;
    whole.hidden = scale.isWhole;
    if (model.shortest === 0) shortest.value = "0";
  }
}
