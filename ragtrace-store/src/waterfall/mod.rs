//! Draws a trace as text: one line per span, with a bar for its place in time.

mod bar;
mod columns;
mod fold;
mod label;
mod line;
mod number;
mod paint;
mod scores;
mod sum;
mod text;
mod tree;

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};

use ragtrace::{ErrorInfo, SpanId};

use crate::read::{SpanNode, SpanStatus, Trace};
use columns::Columns;
use line::Line;
use number::{duration, grouped};
use paint::{Paint, Painter, mark, of_status};
use scores::Scores;
use tree::Tree;

pub use label::Labels;
pub use text::{display_width, fit, printable};

/// Draws a trace as a waterfall for a terminal.
///
/// [`Display`] writes the picture, without a line end after its last line:
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
/// In a trace of more than 100 spans, siblings of one stage are folded into a sum:
///
/// ```text
/// ✓ ingestion                        ██████████████████████████████████████████████████  12.4s
/// ├─✗ document_ingestion ×45         p50  250ms · slowest  900ms · 1 failed            Σ 11.9s
/// │ ├─✓ file_parsing ×45             p50 40.0ms · slowest  120ms                       Σ 1.84s
/// │ └─✗ chunk_embedding ×45          p50  200ms · slowest  850ms · 1 failed            Σ 9.63s
/// ├─✗ document_ingestion failed: b.pdf     ███                                          700ms
/// │ └─✗ chunk_embedding                    ██▋                                          640ms
/// │      EmbedError: the model is overloaded
/// └─✓ document_ingestion slowest: a.pdf                        ████                     900ms
///   └─✓ chunk_embedding                                        ███▋                     850ms
/// ```
///
/// A line with a `×` shows the number of runs, their durations, and their total time, count and
/// cost. The stages inside all of them follow below it, and then some of the counted runs, drawn
/// whole: the slowest, and one per error. [`Waterfall::all`] draws every span instead. Siblings of
/// one stage are distinguished by the first field in which they differ, such as `document_ingestion
/// report.pdf`.
///
/// The scores of the trace are below the header, and those of a span below its line: `★
/// faithfulness 0.83 · helpful yes`. The number of scores of spans that are not drawn is at the
/// end.
///
/// Recorded text cannot control the terminal, since control characters are escaped.
#[derive(Clone, Debug)]
pub struct Waterfall<'a> {
    trace: &'a Trace,
    width: usize,
    colour: bool,
    all: bool,
}

/// The least width of a picture, in columns.
const NARROWEST: usize = 40;
impl<'a> Waterfall<'a> {
    /// Creates the picture of `trace`, 100 columns wide and without colour.
    pub fn new(trace: &'a Trace) -> Self {
        Self { trace, width: 100, colour: false, all: false }
    }

    /// Sets the width in terminal columns. The default is 100, the minimum 40.
    pub fn width(mut self, columns: usize) -> Self {
        self.width = columns.max(NARROWEST);
        self
    }

    /// Sets whether to use ANSI colours. The default is `false`.
    ///
    /// The caller decides whether they are wanted: on a terminal, and if `NO_COLOR` is not set.
    pub fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// Sets whether to draw every span, instead of folding similar siblings in a large trace. The
    /// default is `false`.
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
        let errors = trace
            .spans()
            .filter(|span| span.status() == SpanStatus::Failed && reporting_children(*span).next().is_none());
        let errors = errors.count();
        let counts = [Some(counted(trace.spans().len(), "span")), (errors > 0).then(|| counted(errors, "error"))];
        let counts = counts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let used = 2 + display_width(&id) + 2 + display_width(&outcome);
        painter.paint(f, of_status(status), mark(status))?;
        write!(f, " ")?;
        painter.paint(f, Paint::Bold, &id)?;
        if used + 2 + display_width(&counts) <= self.width {
            write!(f, "  ")?;
            painter.paint(f, of_status(status), &outcome)?;
            write!(f, "{:gap$}", "", gap = self.width - used - display_width(&counts))?;
            painter.paint(f, Paint::Dim, &counts)?;
        } else {
            write!(f, "\n  ")?;
            painter.paint(f, of_status(status), &outcome)?;
            painter.paint(f, Paint::Dim, &fit(&format!(" · {counts}"), self.width - 2 - display_width(&outcome)))?;
        }
        write!(f, "\n  ")?;
        painter.paint(f, Paint::Dim, &fit(&self.who(), self.width - 2))
    }

    /// Returns the header's second line: user, tenant, request, service and time.
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
        let scores = Scores::of(self.trace);
        if let Some(judged) = scores.line(None) {
            write!(f, "\n  ")?;
            painter.paint(f, Paint::Cyan, &fit(&judged, self.width - 2))?;
        }
        let lines = fold::lines(self.trace, self.all);
        let columns = Columns::of(self.trace, &lines, self.width);
        if self.trace.spans().len() > 0 {
            writeln!(f)?;
            columns.axis(f, painter)?;
        }
        let mut tree = Tree::new(columns.levels);
        let drawn: HashSet<SpanId> = lines.iter().filter_map(Line::span).map(SpanNode::span_id).collect();
        for (at, line) in lines.iter().enumerate() {
            tree.enter(line);
            writeln!(f)?;
            columns.line(f, painter, &tree, line)?;
            let has_children = lines.get(at + 1).is_some_and(|next| next.depth > line.depth);
            let below = Below { indent: format!("{} ", tree.below(has_children)), width: self.width, painter };
            if let Some(statistics) = line.sum().and_then(|sum| columns.statistics_beneath(sum)) {
                below.write(f, &statistics)?;
            }
            for error in line.span().map(|span| error_lines(span, &drawn)).unwrap_or_default() {
                below.write(f, &[(Paint::Red, error)])?;
            }
            if let Some(judged) = line.span().and_then(|span| scores.line(Some(span.span_id()))) {
                below.write(f, &[(Paint::Cyan, judged)])?;
            }
        }
        if let Some(hidden) = scores.not_drawn(&drawn) {
            write!(f, "\n\n  ")?;
            painter.paint(f, Paint::Cyan, &fit(&hidden, self.width - 2))?;
        }
        if self.trace.is_truncated() {
            let cut = "the trace has more records than are read at once: the rest is not drawn";
            write!(f, "\n\n  {}", fit(cut, self.width - 2))?;
        }
        Ok(())
    }
}

/// Draws lines below a span's or a sum's line.
struct Below {
    /// The branches, and the indentation relative to the line's own name.
    indent: String,
    width: usize,
    painter: Painter,
}

impl Below {
    fn write(&self, f: &mut Formatter<'_>, parts: &[(Paint, String)]) -> fmt::Result {
        writeln!(f)?;
        self.painter.paint(f, Paint::Dim, self.indent.trim_end())?;
        write!(f, "{:pad$}", "", pad = self.indent.len() - self.indent.trim_end().len())?;
        let mut room = self.width.saturating_sub(display_width(&self.indent));
        for (paint, text) in parts {
            let text = fit(text, room);
            self.painter.paint(f, *paint, &text)?;
            room -= display_width(&text);
        }
        Ok(())
    }
}

/// Returns a failed span's error and its sources, unless a child that is drawn reports the same
/// error.
fn error_lines(span: SpanNode<'_>, drawn: &HashSet<SpanId>) -> Vec<String> {
    let Some(error) = span.error() else { return Vec::new() };
    if reporting_children(span).any(|child| drawn.contains(&child.span_id())) {
        return Vec::new();
    }
    let named = format!("{}: {}", printable(error.type_name()), printable(error.message()));
    let sources = error.chain().iter().map(|source| format!("↳ {}", printable(source)));
    std::iter::once(named).chain(sources).collect()
}

/// Returns the children that failed with the same error, which their parent only passed on.
fn reporting_children(span: SpanNode<'_>) -> impl Iterator<Item = SpanNode<'_>> {
    let message = span.error().map(ErrorInfo::message);
    span.children().filter(move |child| message.is_some() && child.error().map(ErrorInfo::message) == message)
}

fn counted(number: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}
