// Moves between the bars of a chart by arrow keys: the chart is one stop for the tab key.

document.addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const chart = event.target instanceof Element ? event.target.closest("[data-arrows]") : null;
  if (!by || !chart) return;
  const bars = [...chart.querySelectorAll("a")];
  const next = bars[bars.indexOf(event.target.closest("a")) + by];
  if (!next) return;
  event.preventDefault();
  for (const bar of bars) bar.setAttribute("tabindex", bar === next ? "0" : "-1");
  next.focus();
});
