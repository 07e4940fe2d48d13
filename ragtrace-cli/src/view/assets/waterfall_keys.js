// The keys of the tree, as the ARIA practices have them for a tree view, and a few of our own.

export function treeKeys(waterfall) {
  const right = () => {
    const { model, current } = waterfall;
    if (model.children[current] === 0) return;
    if (model.closed[current]) waterfall.toggle(current, true);
    else waterfall.goToRow(waterfall.currentRow() + 1);
  };
  const left = () => {
    const { model, current } = waterfall;
    if (model.children[current] > 0 && !model.closed[current]) waterfall.toggle(current, false);
    else if (model.parent[current] >= 0) waterfall.go(model.parent[current]);
  };
  const open = () => waterfall.open(waterfall.current);
  const keys = {
    ArrowDown: () => waterfall.goToRow(waterfall.currentRow() + 1),
    ArrowUp: () => waterfall.goToRow(waterfall.currentRow() - 1),
    PageDown: () => waterfall.goToRow(waterfall.currentRow() + waterfall.pageSize()),
    PageUp: () => waterfall.goToRow(waterfall.currentRow() - waterfall.pageSize()),
    Home: () => waterfall.goToRow(0),
    End: () => waterfall.goToRow(waterfall.model.rowCount - 1),
    ArrowRight: right,
    ArrowLeft: left,
    Enter: open,
    " ": open,
  };
  return (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !event.target.wfRow) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
}
