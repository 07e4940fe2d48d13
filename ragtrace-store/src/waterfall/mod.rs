//! A trace as a picture of text: a line a span, each with a bar where it lay in time.

mod bar;
mod fold;
mod label;
mod paint;
mod text;

use std::fmt::{self, Display, Formatter};

use ragtrace::ErrorInfo;

use crate::read::{SpanNode, SpanStatus, Trace};
use bar::Scale;
use fold::Line;
use paint::{Paint, Painter, mark, of_span, of_status};
use text::{duration, fit, fit_end, grouped, width_of};

pub use text::printable;

/// Draws a trace. Its `Display` is the picture, lines with line ends between them and none at the
/// last.
///
/// ```text
/// ✗ 0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10  failed in 1.42s        4 spans · 1 error
///   alice @ acme · ingest · req-1 · rag-api · 2026-11-22 08:20:11 UTC
///
///                        0             710ms         1.42s
/// ✗ ingestion            █████████████████████████████████   1.42s
/// ├─✓ file_parsing       ██▋                                 112ms      3
/// ├─✓ document_chunking    ▐█▋                              84.1ms    128
/// └─✗ chunk_embedding        ▐████████████████████████████   1.22s  1,280  $0.0021
///      EmbedError: the model is overloaded
///      ↳ 503 Service Unavailable
/// ```
///
/// Where a trace has more than a hundred spans, a run of alike siblings that went well is one line,
/// such as `embed_batch ×120 ≤80ms`, with what they took, yielded and cost together;
/// [`Waterfall::all`] draws each. Siblings of one stage are told apart by the first field in which
/// they differ, such as `document_ingestion report.pdf`.
///
/// What was logged cannot steer the terminal: control characters are shown escaped.
#[derive(Clone, Debug)]
pub struct Waterfall<'a> {
    trace: &'a Trace,
    width: usize,
    colour: bool,
    all: bool,
}

/// The narrowest picture; what is narrower is drawn this wide.
const NARROWEST: usize = 40;
/// The least cells a bar is worth drawing in.
const LEAST_BAR: usize = 10;
/// The least columns that a stage's name and its branches get.
const LEAST_NAME: usize = 24;
/// The least columns in which the end of a longer label still tells something.
const LEAST_LABEL: usize = 6;
/// How many levels of the tree are drawn at most; what lies deeper is drawn at this depth, behind a
/// `⋯`.
const LEVELS: usize = 12;

impl<'a> Waterfall<'a> {
    /// Returns the picture of `trace`, 100 columns wide and without colour.
    pub fn new(trace: &'a Trace) -> Self {
        Self { trace, width: 100, colour: false, all: false }
    }

    /// Sets the width, in terminal columns; at least 40.
    pub fn width(mut self, columns: usize) -> Self {
        self.width = columns.max(NARROWEST);
        self
    }

    /// Sets whether ANSI colours are used; not unless set. The caller knows whether they are
    /// wanted: on a terminal, without `NO_COLOR`.
    pub fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// Sets whether every span has a line of its own, instead of folding runs of alike siblings
    /// where there are very many.
    pub fn all(mut self, all: bool) -> Self {
        self.all = all;
        self
    }

    fn header(&self, f: &mut Formatter<'_>, painter: Painter) -> fmt::Result {
        let trace = self.trace;
        let status = trace.status();
        let id = trace.trace_id().to_string();
        let outcome = match status {
            SpanStatus::Open | SpanStatus::Lost => format!("{status} for {}", duration(trace.duration())),
            _ => format!("{status} in {}", duration(trace.duration())),
        };
        let errors =
            trace.spans().filter(|span| span.status() == SpanStatus::Failed && !is_reported_by_child(*span)).count();
        let counts = [Some(counted(trace.spans().len(), "span")), (errors > 0).then(|| counted(errors, "error"))];
        let counts = counts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let used = 2 + width_of(&id) + 2 + width_of(&outcome);
        painter.paint(f, of_status(status), mark(status))?;
        write!(f, " ")?;
        painter.paint(f, Paint::Bold, &id)?;
        if used + 2 + width_of(&counts) <= self.width {
            write!(f, "  ")?;
            painter.paint(f, of_status(status), &outcome)?;
            write!(f, "{:gap$}", "", gap = self.width - used - width_of(&counts))?;
            painter.paint(f, Paint::Dim, &counts)?;
        } else {
            write!(f, "\n  ")?;
            painter.paint(f, of_status(status), &outcome)?;
            painter.paint(f, Paint::Dim, &fit(&format!(" · {counts}"), self.width - 2 - width_of(&outcome)))?;
        }
        write!(f, "\n  ")?;
        painter.paint(f, Paint::Dim, &fit(&self.who(), self.width - 2))
    }

    /// Returns who asked for what, where and when.
    fn who(&self) -> String {
        let trace = self.trace;
        let asker = match (trace.user_id().map(printable), trace.tenant_id().map(printable)) {
            (Some(user), Some(tenant)) => Some(format!("{user} @ {tenant}").into()),
            (None, Some(tenant)) => Some(format!("@ {tenant}").into()),
            (user, None) => user,
        };
        let started = trace.started_at().to_string();
        let when = format!("{} {} UTC", &started[..10], &started[11..19]).into();
        let parts = [
            asker,
            trace.request_type().map(printable),
            trace.request_id().map(printable),
            trace.service().map(printable),
            Some(when),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

impl Display for Waterfall<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let painter = Painter { colour: self.colour };
        self.header(f, painter)?;
        let lines = fold::lines(self.trace, self.all);
        let columns = Columns::of(self.trace, &lines, self.width);
        if self.trace.spans().len() > 0 {
            writeln!(f)?;
            columns.axis(f, painter)?;
        }
        let mut tree = Tree { levels: columns.levels, last: Vec::new() };
        for line in &lines {
            tree.enter(line);
            writeln!(f)?;
            columns.line(f, painter, &tree, line)?;
            for error in error_lines(line.span) {
                let indent = format!("{}   ", tree.below());
                let room = self.width.saturating_sub(width_of(&indent)).max(LEAST_BAR);
                write!(f, "\n{indent}")?;
                painter.paint(f, Paint::Red, &fit(&error, room))?;
            }
        }
        if self.trace.is_truncated() {
            write!(f, "\n\n  the trace has more records than are read at once: what is missing is not drawn")?;
        }
        Ok(())
    }
}

/// The widths of the columns, the same for every line.
struct Columns {
    name: usize,
    /// How many levels of the tree are drawn.
    levels: usize,
    /// Zero where there is no room for bars.
    bar: usize,
    time: usize,
    count: usize,
    cost: usize,
    scale: Scale,
}

impl Columns {
    fn of(trace: &Trace, lines: &[Line<'_>], width: usize) -> Self {
        let widest = |part: &dyn Fn(&Line<'_>) -> usize| lines.iter().map(part).max().unwrap_or(0);
        let column = |text: String| if text.is_empty() { 0 } else { width_of(&text) + 2 };
        let count = widest(&|line| column(line.count()));
        let cost = widest(&|line| column(line.cost()));
        let time = widest(&|line| column(line.time()));
        // What has no room goes: first the cost, then the count.
        let fits = |columns: usize| columns + time + LEAST_NAME <= width;
        let cost = if fits(cost + count) { cost } else { 0 };
        let count = if fits(cost + count) { count } else { 0 };
        let room = width.saturating_sub(count + cost + time);
        // Names may take two fifths, and half with what tells them apart; or everything where bars
        // would be too short to tell anything.
        let label = |line: &Line<'_>| if line.label().is_empty() { 0 } else { 1 + width_of(line.label()) };
        let share = if lines.iter().any(|line| label(line) > 0) { room / 2 } else { room * 2 / 5 };
        let limit = if room >= 3 * LEAST_BAR { share } else { room };
        let limit = limit.max(LEAST_NAME);
        // Two columns a level: half of the column is left to the name itself.
        let levels = (limit / 4).min(LEVELS);
        let name = widest(&|line| 2 * line.span.depth().min(levels) + 3 + width_of(&line.name()) + label(line));
        let name = name.min(limit);
        let bar = room.saturating_sub(name + 1);
        let bar = if bar >= LEAST_BAR { bar } else { 0 };
        Self { name, levels, bar, time, count, cost, scale: Scale::of(trace, bar) }
    }

    /// Draws where the bars begin, what their middle is, and where they end.
    fn axis(&self, f: &mut Formatter<'_>, painter: Painter) -> fmt::Result {
        let (middle, end) = (duration(self.scale.total() / 2), duration(self.scale.total()));
        let mut axis = "0".to_owned();
        if self.bar >= 3 * (width_of(&middle) + width_of(&end)) {
            axis = format!("{axis:<to$}{middle}", to = (self.bar - width_of(&middle)) / 2);
        }
        let gap = self.bar.saturating_sub(width_of(&axis) + width_of(&end));
        match self.bar {
            0 => Ok(()),
            _ => painter.paint(f, Paint::Dim, &format!("\n{:name$} {axis}{:gap$}{end}", "", "", name = self.name)),
        }
    }

    fn line(&self, f: &mut Formatter<'_>, painter: Painter, tree: &Tree, line: &Line<'_>) -> fmt::Result {
        let span = line.span;
        let branch = tree.branch();
        let arrow = above(span);
        let room = self.name.saturating_sub(width_of(&branch) + 2 + width_of(arrow));
        let name = line.name();
        let name = fit(&name, room.max(1));
        painter.paint(f, Paint::Dim, &branch)?;
        painter.paint(f, of_status(span.status()), mark(span.status()))?;
        write!(f, " {name}")?;
        painter.paint(f, Paint::Dim, arrow)?;
        let mut used = width_of(&branch) + 2 + width_of(&name) + width_of(arrow);
        let room = self.name.saturating_sub(used + 1);
        if room >= LEAST_LABEL.min(width_of(line.label())) && !line.label().is_empty() {
            let label = fit_end(line.label(), room);
            painter.paint(f, Paint::Dim, &format!(" {label}"))?;
            used += 1 + width_of(&label);
        }
        write!(f, "{:pad$}", "", pad = self.name.saturating_sub(used))?;
        let after = [(line.time(), self.time), (line.count(), self.count), (line.cost(), self.cost)];
        let last = after.iter().rposition(|(text, width)| *width > 0 && !text.is_empty()).map_or(0, |last| last + 1);
        if self.bar > 0 {
            let bar = self.scale.bar(span.started_at(), line.ended_at, span.status());
            let pad = if last == 0 { 0 } else { self.bar - width_of(&bar.blank) - width_of(&bar.filled) };
            write!(f, " {}", bar.blank)?;
            painter.paint(f, of_span(span), &bar.filled)?;
            write!(f, "{:pad$}", "")?;
        }
        // `{:>width$}` counts characters, and a µ is as wide as one.
        let mut shown = after[..last].iter().filter(|(_, width)| *width > 0);
        shown.try_for_each(|(text, width)| write!(f, "{text:>width$}"))
    }
}

/// The branches to the left of a span.
struct Tree {
    /// How many levels are drawn, at least one.
    levels: usize,
    /// For the span and each of its ancestors from the top: whether it is the last child.
    last: Vec<bool>,
}

impl Tree {
    fn enter(&mut self, line: &Line<'_>) {
        self.last.truncate(line.span.depth());
        self.last.push(line.is_last_child());
    }

    /// Up to the span itself.
    fn branch(&self) -> String {
        match self.last.split_last() {
            Some((last, above)) if !above.is_empty() => {
                let elbow = if *last { "└─" } else { "├─" };
                format!("{}{elbow}", self.trunks(above.len() - 1))
            }
            _ => String::new(),
        }
    }

    /// Left of the lines beneath the span: its own trunk instead of its elbow.
    fn below(&self) -> String {
        self.trunks(self.last.len().saturating_sub(1))
    }

    /// The trunks of the ancestors at the levels from the second to `levels`, the nearest of them
    /// if they are too many.
    fn trunks(&self, levels: usize) -> String {
        let skipped = levels.saturating_sub(self.levels - 1);
        let trunks = self.last[1 + skipped.min(levels)..=levels].iter().map(|last| if *last { "  " } else { "│ " });
        let more = if skipped > 0 { "⋯ " } else { "" };
        std::iter::once(more).chain(trunks.skip(usize::from(skipped > 0))).collect()
    }
}

/// Returns a mark for a parent that is not drawn: it is elsewhere, or it is missing.
fn above(span: SpanNode<'_>) -> &'static str {
    match (span.has_remote_parent(), span.is_orphan()) {
        (true, _) => "⇡",
        (_, true) => "⇡?",
        _ => "",
    }
}

/// Returns a failed span's error and its sources, unless a child failed of the very same and says
/// it already.
fn error_lines(span: SpanNode<'_>) -> Vec<String> {
    let Some(error) = span.error() else { return Vec::new() };
    if is_reported_by_child(span) {
        return Vec::new();
    }
    let named = format!("{}: {}", printable(error.type_name()), printable(error.message()));
    let sources = error.chain().iter().map(|source| format!("↳ {}", printable(source)));
    std::iter::once(named).chain(sources).collect()
}

/// Returns `true` if a child failed of the very same, which its parent only handed on.
fn is_reported_by_child(span: SpanNode<'_>) -> bool {
    let message = span.error().map(ErrorInfo::message);
    message.is_some() && span.children().any(|child| child.error().map(ErrorInfo::message) == message)
}

fn counted(number: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}
