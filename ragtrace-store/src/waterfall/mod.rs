//! A trace as a picture of text: a line a span, each with a bar where it lay in time.

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

pub use text::{display_width, fit, printable};

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
/// Where a trace has more than a hundred spans, siblings of one stage are taken together:
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
/// The scores of the trace stand beneath the header, and those of a span beneath it: `★
/// faithfulness 0.83 · helpful yes`. How many scores there are of spans that are not drawn stands
/// at the end.
///
/// A line with a `×` says how often the stage ran there and what these runs took, yielded and cost
/// together. Beneath it are the stages inside of all of them; after it, drawn whole, some that it
/// counts: the slowest, and one of each error. [`Waterfall::all`] draws each span. Siblings of one
/// stage are told apart by the first field in which they differ, such as `document_ingestion
/// report.pdf`.
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

    /// Sets whether every span has a line of its own, instead of folding alike siblings where there
    /// are very many.
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
            let cut = "the trace has more records than are read at once: what is missing is not drawn";
            write!(f, "\n\n  {}", fit(cut, self.width - 2))?;
        }
        Ok(())
    }
}

/// Draws what stands beneath a line.
struct Below {
    /// The branches, and what sets it off from the line's own name.
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

/// Returns a failed span's error and its sources, unless a child that is drawn failed of the very
/// same and says it already.
fn error_lines(span: SpanNode<'_>, drawn: &HashSet<SpanId>) -> Vec<String> {
    let Some(error) = span.error() else { return Vec::new() };
    if reporting_children(span).any(|child| drawn.contains(&child.span_id())) {
        return Vec::new();
    }
    let named = format!("{}: {}", printable(error.type_name()), printable(error.message()));
    let sources = error.chain().iter().map(|source| format!("↳ {}", printable(source)));
    std::iter::once(named).chain(sources).collect()
}

/// Returns the children that failed of the very same, which their parent only handed on.
fn reporting_children(span: SpanNode<'_>) -> impl Iterator<Item = SpanNode<'_>> {
    let message = span.error().map(ErrorInfo::message);
    span.children().filter(move |child| message.is_some() && child.error().map(ErrorInfo::message) == message)
}

fn counted(number: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}
