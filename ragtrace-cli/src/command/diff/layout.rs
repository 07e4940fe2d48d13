//! Draws a comparison as text: the totals, and a line for each stage.
//!
//! ```text
//!                      before   after   change
//! ~ ask                 960ms   595ms   -365ms   -38%
//! - ├─ rewrite         10.0ms
//!   ├─ retrieve        50.0ms  50.0ms                     8
//! + ├─ rerank                  40.0ms                     8
//! ~ └─ generate         900ms   500ms   -400ms   -44%
//!        completed → failed
//! ```

use std::fmt::Write;

use ragtrace_store::{
    SpanStatus, StageDiff, StageRuns, TraceDiff, TraceTotals, display_width, fit, format_count, printable,
};

use super::cell::{both, costs, counts, difference, duration, share};

/// The fewest columns for the names of the stages and their branches.
const LEAST_NAME: usize = 16;
/// The blanks before a cell.
const GAP: usize = 2;
/// The largest number of tree levels that are drawn.
const LEVELS: usize = 12;
/// The number of cells behind a name.
const CELLS: usize = 6;
/// The headings of the cells.
const HEADINGS: [&str; CELLS] = ["before", "after", "change", "", "items", "cost"];
/// The cells in the order in which they are left out if the width is too small.
const SPARED: [usize; 3] = [5, 4, 2];

/// Styles, as parameters of their escape sequence (ECMA-48, section 8.3.117).
const BOLD: u8 = 1;
const DIM: u8 = 2;
const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;

/// A line of the table.
struct Row {
    sign: char,
    /// The branches before the name.
    branch: String,
    name: String,
    cells: [String; CELLS],
    colour: u8,
    /// The lines below: how the outcome changed, and the error.
    notes: Vec<(u8, String)>,
}

/// Returns the text, each line with its line end.
pub(super) fn draw(diff: &TraceDiff, width: usize, colour: bool) -> String {
    let pen = Pen { colour };
    let mut text = String::new();
    for (name, totals) in [("before", diff.before()), ("after", diff.after())] {
        head(&mut text, pen, name, totals, width);
    }
    let rows: Vec<Row> = totals(diff).into_iter().chain(stages(diff)).collect();
    let layout = Layout::of(&rows, width);
    text.push('\n');
    layout.headings(&mut text, pen);
    for row in &rows {
        layout.row(&mut text, pen, row);
    }
    if diff.stages().is_empty() {
        let _ = writeln!(text, "\n{}", fit("  no stage has changed", width));
    }
    text
}

/// Writes the id, outcome and start of a trace, on as few lines as it takes.
fn head(text: &mut String, pen: Pen, name: &str, totals: &TraceTotals, width: usize) {
    let at = totals.started_at().to_string();
    let parts = [
        (0, format!("{name:<6}")),
        (BOLD, totals.trace_id().to_string()),
        (of_status(totals.status()), format!("{} in {}", totals.status(), duration(Some(totals.duration())))),
        (DIM, format!("{} {} UTC", &at[..10], &at[11..19])),
    ];
    let mut used = 0;
    for (style, part) in parts {
        if used > 0 && used + GAP + display_width(&part) <= width {
            used += GAP + display_width(&part);
            let _ = write!(text, "{:GAP$}{}", "", pen.paint(style, &part));
        } else {
            let indent = if used > 0 { GAP } else { 0 };
            let line_end = if used > 0 { "\n" } else { "" };
            used = indent + display_width(&part);
            text.truncate(text.trim_end_matches(' ').len());
            let _ = write!(text, "{line_end}{:indent$}{}", "", pen.paint(style, &part));
        }
    }
    text.push('\n');
}

/// Returns the lines for the totals that differ, or are not zero.
fn totals(diff: &TraceDiff) -> Vec<Row> {
    let (before, after) = (diff.before(), diff.after());
    let row = |name: &str, cells| Row {
        sign: ' ',
        branch: String::new(),
        name: name.to_owned(),
        cells,
        colour: 0,
        notes: Vec::new(),
    };
    let took = [Some(before.duration()), Some(after.duration())];
    let empty = String::new;
    let number = |name: &str, before: u64, after: u64| {
        let change = match after.cmp(&before) {
            std::cmp::Ordering::Greater => format!("+{}", format_count(after - before)),
            std::cmp::Ordering::Less => format!("-{}", format_count(before - after)),
            std::cmp::Ordering::Equal => String::new(),
        };
        row(name, [format_count(before), format_count(after), change, empty(), empty(), empty()])
    };
    let whole = [duration(took[0]), duration(took[1]), difference(took[0], took[1]), share(took[0], took[1])];
    let [one, other, change, part] = whole;
    let mut rows = vec![
        row("total", [one, other, change, part, empty(), costs(before.cost_usd(), after.cost_usd())]),
        number("spans", before.spans(), after.spans()),
    ];
    if before.failed() + after.failed() > 0 {
        rows.push(number("failed spans", before.failed(), after.failed()));
    }
    rows
}

/// Returns the lines of the stages, behind an empty one.
fn stages(diff: &TraceDiff) -> Vec<Row> {
    let depths: Vec<usize> = diff.stages().iter().map(StageDiff::depth).collect();
    let last = last_children(&depths);
    let mut trunks: Vec<bool> = Vec::new();
    let row = |(at, is_last): (usize, bool)| {
        let stage = &diff.stages()[at];
        trunks.truncate(stage.depth());
        trunks.push(is_last);
        stage_row(stage, branch(&trunks), notes(stage, is_passed_on(diff.stages(), at)))
    };
    last.into_iter().enumerate().map(row).collect()
}

fn stage_row(stage: &StageDiff, branch: String, notes: Vec<(u8, String)>) -> Row {
    let (before, after) = (stage.before(), stage.after());
    let (sign, colour) = match (before, after) {
        (None, _) => ('+', GREEN),
        (_, None) => ('-', RED),
        _ if stage.is_changed() => ('~', YELLOW),
        _ => (' ', 0),
    };
    let took = [before, after].map(|runs| runs.and_then(StageRuns::duration));
    let shown = [before, after].map(|runs| runs.map_or_else(String::new, |runs| duration(runs.duration())));
    let [one, other] = shown;
    let part = |get: fn(&StageRuns) -> Option<u64>| [before, after].map(|runs| runs.and_then(get));
    let [items_before, items_after] = part(StageRuns::count);
    let cost = [before, after].map(|runs| runs.and_then(StageRuns::cost_usd));
    let one_sided = |text: String| {
        if before.is_none() || after.is_none() { text.replace("-→", "").replace("→-", "") } else { text }
    };
    Row {
        sign,
        branch,
        name: format!("{}{}", printable(stage.stage()), times(before, after)),
        cells: [
            one,
            other,
            difference(took[0], took[1]),
            share(took[0], took[1]),
            one_sided(counts(items_before, items_after)),
            one_sided(costs(cost[0], cost[1])),
        ],
        colour,
        notes,
    }
}

/// Returns the number of runs of a sum, as ` ×45` or ` ×45→47`.
fn times(before: Option<&StageRuns>, after: Option<&StageRuns>) -> String {
    let runs = |runs: Option<&StageRuns>| runs.map(StageRuns::runs);
    match (runs(before), runs(after)) {
        (None | Some(1), None | Some(1)) => String::new(),
        (Some(before), Some(after)) => format!(" ×{}", both(Some(format_count(before)), Some(format_count(after)))),
        (one, other) => format!(" ×{}", format_count(one.or(other).unwrap_or_default())),
    }
}

/// Returns how the outcome changed, and the error of the second trace if it is another one, unless
/// a stage inside reports the same.
fn notes(stage: &StageDiff, is_passed_on: bool) -> Vec<(u8, String)> {
    let status = |runs: Option<&StageRuns>| runs.map(StageRuns::status);
    let mut notes = Vec::new();
    match (status(stage.before()), status(stage.after())) {
        (Some(before), Some(after)) if before != after => notes.push((of_status(after), format!("{before} → {after}"))),
        (None, Some(only)) | (Some(only), None) if only != SpanStatus::Completed => {
            notes.push((of_status(only), only.to_string()));
        }
        _ => {}
    }
    match (error(stage.before()), error(stage.after())) {
        (before, Some(after)) if before.as_ref() != Some(&after) && !is_passed_on => notes.push((RED, after)),
        _ => {}
    }
    notes
}

/// Returns the error of runs as text.
fn error(runs: Option<&StageRuns>) -> Option<String> {
    let error = runs?.error()?;
    Some(format!("{}: {}", printable(error.type_name()), printable(error.message())))
}

/// Returns `true` if a stage directly inside of this one has the same error in the second trace.
fn is_passed_on(stages: &[StageDiff], at: usize) -> bool {
    let (own, depth) = (error(stages[at].after()), stages[at].depth());
    let inside = stages[at + 1..].iter().take_while(|stage| stage.depth() > depth);
    own.is_some() && inside.filter(|stage| stage.depth() == depth + 1).any(|stage| error(stage.after()) == own)
}

/// Returns for each stage `true` if it is the last child of its parent.
fn last_children(depths: &[usize]) -> Vec<bool> {
    let mut last = vec![true; depths.len()];
    // Contains `true` for each depth at which a sibling follows.
    let mut followed: Vec<bool> = Vec::new();
    for (at, depth) in depths.iter().enumerate().rev() {
        followed.resize((depth + 1).max(followed.len()), false);
        followed.truncate(depth + 1);
        last[at] = !std::mem::replace(&mut followed[*depth], true);
    }
    last
}

/// Returns the branches to the left of a name. Of a deep stage, only the nearest are drawn.
fn branch(last: &[bool]) -> String {
    let Some((own, above)) = last.split_last().filter(|(_, above)| !above.is_empty()) else { return String::new() };
    let trunks = &above[1..];
    let skipped = trunks.len().saturating_sub(LEVELS);
    let mut branch = if skipped > 0 { "⋯ ".to_owned() } else { String::new() };
    branch.extend(trunks[skipped..].iter().map(|last| if *last { "  " } else { "│ " }));
    branch.push_str(if *own { "└─ " } else { "├─ " });
    branch
}

/// The widths of the columns; zero for cells that are left out.
struct Layout {
    width: usize,
    name: usize,
    cells: [usize; CELLS],
}

impl Layout {
    fn of(rows: &[Row], width: usize) -> Self {
        let mut cells = [0; CELLS];
        for (at, cell) in cells.iter_mut().enumerate() {
            let widest = rows.iter().map(|row| display_width(&row.cells[at])).max().unwrap_or(0);
            *cell = if widest > 0 { widest.max(HEADINGS[at].len()) + GAP } else { 0 };
        }
        for spared in SPARED {
            if 2 + LEAST_NAME + cells.iter().sum::<usize>() > width {
                cells[spared] = 0;
            }
        }
        let room = width.saturating_sub(2 + cells.iter().sum::<usize>());
        let widest = rows.iter().map(|row| display_width(&row.branch) + display_width(&row.name)).max().unwrap_or(0);
        Self { width, name: widest.min(room), cells }
    }

    fn headings(&self, text: &mut String, pen: Pen) {
        let mut line = " ".repeat(2 + self.name);
        for (heading, width) in HEADINGS.iter().zip(self.cells) {
            let _ = write!(line, "{heading:>width$.width$}");
        }
        let _ = writeln!(text, "{}", pen.paint(DIM, line.trim_end()));
    }

    fn row(&self, text: &mut String, pen: Pen, row: &Row) {
        // Half of the column is left to the name itself.
        let branch = fit(&row.branch, self.name / 2);
        let name = fit(&row.name, self.name.saturating_sub(display_width(&branch)));
        let pad = self.name.saturating_sub(display_width(&branch) + display_width(&name));
        let mut line = format!("{} {}{}", row.sign, branch, name);
        line.extend(std::iter::repeat_n(' ', pad));
        for (cell, width) in row.cells.iter().zip(self.cells).filter(|(_, width)| *width > 0) {
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(display_width(cell))));
            line.push_str(cell);
        }
        let _ = writeln!(text, "{}", pen.paint(row.colour, line.trim_end()));
        for (colour, note) in &row.notes {
            let indent = (2 + display_width(&branch) + 2).min(self.width / 2);
            let note = fit(note, self.width - indent);
            let _ = writeln!(text, "{:indent$}{}", "", pen.paint(*colour, &note));
        }
    }
}

#[derive(Clone, Copy)]
struct Pen {
    colour: bool,
}

impl Pen {
    fn paint(self, style: u8, text: &str) -> String {
        if self.colour && style > 0 && !text.is_empty() {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

fn of_status(status: SpanStatus) -> u8 {
    match status {
        SpanStatus::Completed => GREEN,
        SpanStatus::Failed => RED,
        _ => YELLOW,
    }
}
