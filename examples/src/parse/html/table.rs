//! Reads tables of data, row by row.
//!
//! A cell that spans columns is followed by empty cells, and a short one that spans rows is in each
//! of them, so that every row says what it is about.

use std::collections::HashSet;

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::Html;
use scraper::node::Element;

use super::elements::heading_level;

/// The number of columns of a spanning cell that are counted.
const MOST_COLUMNS: usize = 32;

/// The longest text of a cell that is repeated, in bytes.
const LONGEST_REPEATED: usize = 200;

/// A table while it is being read.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) rows: Vec<Vec<String>>,
    row: Vec<String>,
    /// The columns and rows that the open cell spans.
    spans: (usize, usize),
    /// By column, the cells above that go on in this row: the number of rows left, and the text.
    above: Vec<(usize, String)>,
    /// The cells of this row that go on in the next ones, by column.
    below: Vec<(usize, usize, String)>,
    has_cells: bool,
}

impl Table {
    pub(super) fn open_row(&mut self) {
        self.row.clear();
        self.below.clear();
        self.has_cells = false;
    }

    pub(super) fn open_cell(&mut self, element: &Element) {
        let span = |name: &str| element.attr(name).and_then(|value| value.trim().parse().ok()).unwrap_or(1_usize);
        // A span of 0 rows is one to the table's end.
        let rows = span("rowspan");
        self.spans = (span("colspan").clamp(1, MOST_COLUMNS), if rows == 0 { usize::MAX } else { rows });
        self.has_cells = true;
    }

    pub(super) fn close_cell(&mut self, text: &str) {
        self.fill();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (columns, rows) = self.spans;
        if rows > 1 {
            let repeated = if text.len() <= LONGEST_REPEATED { text.clone() } else { String::new() };
            self.below.push((self.row.len(), rows - 1, repeated));
        }
        self.row.push(text);
        self.row.extend(std::iter::repeat_n(String::new(), columns - 1));
    }

    /// Ends the row. `repeatable` is the number of bytes that may still be repeated.
    pub(super) fn close_row(&mut self, repeatable: &mut usize) {
        if !self.has_cells {
            return;
        }
        while self.fill() {}
        let used = self.above.iter().map(|(_, text)| text.len() + 3).sum();
        *repeatable = repeatable.saturating_sub(used);
        if *repeatable == 0 {
            self.above.clear();
        }
        for (column, rows, text) in self.below.drain(..) {
            if self.above.len() <= column {
                self.above.resize(column + 1, (0, String::new()));
            }
            self.above[column] = (rows, text);
        }
        self.rows.push(std::mem::take(&mut self.row));
        self.has_cells = false;
    }

    /// Adds the cells from above that are in the next columns. Returns `false` if there is none.
    fn fill(&mut self) -> bool {
        let before = self.row.len();
        while let Some((rows, text)) = self.above.get_mut(self.row.len())
            && *rows > 0
        {
            *rows -= 1;
            self.row.push(text.clone());
        }
        self.row.len() > before
    }
}

/// Returns the tables that only arrange the page: those with a table, a heading or verbatim text in
/// them, and those that say so.
pub(super) fn layout_tables(page: &Html) -> HashSet<NodeId> {
    let mut found = HashSet::new();
    let mut open: Vec<NodeId> = Vec::new();
    for edge in page.tree.root().traverse() {
        match edge {
            Edge::Open(node) => {
                let Some(element) = node.value().as_element() else { continue };
                let name = element.name();
                if matches!(name, "table" | "pre" | "article" | "section" | "main" | "nav")
                    || heading_level(name).is_some()
                {
                    found.extend(open.last().copied());
                }
                if name == "table" {
                    open.push(node.id());
                    let role = element.attr("role").unwrap_or_default();
                    if matches!(role, "presentation" | "none") {
                        found.insert(node.id());
                    }
                }
            }
            Edge::Close(node) => {
                if node.value().as_element().is_some_and(|element| element.name() == "table") {
                    open.pop();
                }
            }
        }
    }
    found
}
