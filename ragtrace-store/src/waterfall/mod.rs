//! Draws a trace as text: one line per span, with a bar for its place in time.

mod bar;
mod columns;
mod documents;
mod fold;
mod label;
mod line;
mod log_line;
mod number;
mod paint;
mod scores;
mod sum;
mod text;
mod tree;

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};

use ragtrace::{ErrorInfo, SpanId, TraceId};

use crate::read::{SpanNode, SpanStatus, Trace};
use columns::Columns;
use documents::Documents;
use line::{Line, Shown};
use log_line::LogLines;
use paint::{Paint, Painter, mark, of_status};
use scores::Scores;
use tree::Tree;

pub use label::Labels;
pub use number::{format_cost, format_count, format_duration, format_score};
pub use text::{display_width, fit, printable, wrap};

/// Draws a trace as a waterfall for a terminal.
///
/// [`Display`] writes the picture, without a line end after its last line:
///
/// ```text
/// ✗ 0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10  failed in 1.42s        4 spans · 1 error
///   alice @ acme · ingest · req-1 · rag-api · 2026-11-22 08:20:11 UTC
///
///          critical path ◆ 0            710ms        1.42s
/// ✗ ingestion            ◆ ███████████████████████████████   1.42s
/// ├─✓ file_parsing       ◆ ██▌                               112ms      3
/// ├─✓ document_chunking  ◆   ▐█▍                            84.1ms    128
/// └─✗ chunk_embedding    ◆     ███████████████████████████   1.22s  1,280  $0.0021
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
/// The sign `◆` marks the [critical path](Trace::critical_path), if there is more than one span.
///
/// The scores of the trace are below the header, and those of a span below its line: `★
/// faithfulness 0.83 · helpful yes`. The number of scores of spans that are not drawn is at the
/// end. The documents that a retriever or a reranker found are below its line too, at most ten
/// unless all spans are drawn, each with its score, its source, and `used` if the answer was made
/// of it.
///
/// Recorded text cannot control the terminal, since control characters are escaped.
#[derive(Clone, Debug)]
pub struct Waterfall<'a> {
    trace: &'a Trace,
    width: usize,
    colour: bool,
    all: bool,
    parts: Parts,
}

/// The parts of a picture that can be turned on or off.
#[derive(Clone, Copy, Debug)]
struct Parts {
    self_times: bool,
    logs: bool,
    documents: bool,
}

/// The least width of a picture, in columns.
const NARROWEST: usize = 40;
/// The largest number of linked traces that the header shows.
const LINKS: usize = 3;

impl<'a> Waterfall<'a> {
    /// Creates the picture of `trace`, 100 columns wide and without colour.
    pub fn new(trace: &'a Trace) -> Self {
        let parts = Parts { self_times: false, logs: false, documents: true };
        Self { trace, width: 100, colour: false, all: false, parts }
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

    /// Sets whether to draw every span, instead of folding similar siblings in a large trace, and
    /// all documents and log lines of each. The default is `false`.
    pub fn all(mut self, all: bool) -> Self {
        self.all = all;
        self
    }

    /// Sets whether to show the self time of each span ([`SpanNode::self_time`]) next to its
    /// duration. The default is `false`.
    pub fn self_times(mut self, self_times: bool) -> Self {
        self.parts.self_times = self_times;
        self
    }

    /// Sets whether to show the log lines of each span below it, in order of time between its
    /// children. The default is `false`.
    ///
    /// Of a span with more than 50 log lines, the most severe 50 are shown.
    pub fn logs(mut self, logs: bool) -> Self {
        self.parts.logs = logs;
        self
    }

    /// Sets whether to show the documents that retrievers and rerankers found. The default is
    /// `true`.
    pub fn documents(mut self, documents: bool) -> Self {
        self.parts.documents = documents;
        self
    }

    fn header(&self, f: &mut Formatter<'_>, painter: Painter) -> fmt::Result {
        let trace = self.trace;
        let status = trace.status();
        let id = trace.trace_id().to_string();
        let outcome = match status {
            SpanStatus::Open | SpanStatus::Lost => format!("{status} for {}", format_duration(trace.duration())),
            _ => format!("{status} in {}", format_duration(trace.duration())),
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
        let (who, when) = (self.who(), self.when());
        let both = format!("{who} · {when}");
        let is_short = who.is_empty() || display_width(&both) <= self.width - 2;
        let lines = if is_short { vec![if who.is_empty() { when } else { both }] } else { vec![who, when] };
        for line in lines {
            write!(f, "\n  ")?;
            painter.paint(f, Paint::Dim, &fit(&line, self.width - 2))?;
        }
        self.links().iter().try_for_each(|link| {
            write!(f, "\n  ")?;
            painter.paint(f, Paint::Blue, &fit(link, self.width - 2))
        })
    }

    /// Returns the lines for the traces that led to this one.
    fn links(&self) -> Vec<String> {
        let mut linked: Vec<TraceId> = Vec::new();
        for link in self.trace.spans().flat_map(|span| span.record().links()) {
            if linked.len() <= LINKS && !linked.contains(&link.trace_id) {
                linked.push(link.trace_id);
            }
        }
        let more = linked.len() > LINKS;
        let says = " led to this trace";
        let line = |id: &TraceId| {
            let line = format!("⇠ {id}");
            if display_width(&line) + says.len() <= self.width - 2 { line + says } else { line }
        };
        let shown = linked.iter().take(LINKS).map(line);
        shown.chain(more.then(|| "⇠ and more".to_owned())).collect()
    }

    /// Returns the time at which the trace started.
    fn when(&self) -> String {
        let started = self.trace.started_at().to_string();
        format!("{} {} UTC", &started[..10], &started[11..19])
    }

    /// Returns who the trace belongs to: user, tenant, request and service.
    fn who(&self) -> String {
        let trace = self.trace;
        let asker = match (trace.user_id().map(printable), trace.tenant_id().map(printable)) {
            (Some(user), Some(tenant)) => Some(format!("{user} @ {tenant}").into()),
            (None, Some(tenant)) => Some(format!("@ {tenant}").into()),
            (user, None) => user,
        };
        let parts = [
            asker,
            trace.request_type().map(printable),
            trace.request_id().map(printable),
            trace.service().map(printable),
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
        let logs = if self.parts.logs { LogLines::of(self.trace, self.all) } else { LogLines::none() };
        let lines = fold::lines(self.trace, &logs, self.all);
        let drawn: HashSet<SpanId> = lines.iter().filter_map(Line::span).map(SpanNode::span_id).collect();
        self.lines(f, painter, &lines, &Beneath { scores: &scores, drawn: &drawn })?;
        let cut = "the trace has more records than are read at once: the rest is not drawn";
        let ends = [
            (Paint::Cyan, scores.not_drawn(&drawn)),
            (Paint::Dim, logs.not_drawn(&drawn)),
            (Paint::Plain, self.trace.is_truncated().then(|| cut.to_owned())),
        ];
        ends.into_iter().filter_map(|(paint, text)| Some((paint, text?))).try_for_each(|(paint, text)| {
            write!(f, "\n\n  ")?;
            painter.paint(f, paint, &fit(&text, self.width - 2))
        })
    }
}

/// The data for the lines below those of the spans.
struct Beneath<'a, 'b> {
    scores: &'b Scores<'a>,
    /// The spans that are drawn.
    drawn: &'b HashSet<SpanId>,
}

impl Waterfall<'_> {
    /// Draws the spans and, below each, its statistics, errors, scores and documents.
    fn lines(
        &self,
        f: &mut Formatter<'_>,
        painter: Painter,
        lines: &[Line<'_>],
        beneath: &Beneath<'_, '_>,
    ) -> fmt::Result {
        let columns = Columns::of(self.trace, lines, self.width, self.parts.self_times);
        let documents = Documents::of(self.trace, self.all);
        if self.trace.spans().len() > 0 {
            writeln!(f)?;
            columns.head(f, painter)?;
        }
        let mut tree = Tree::new(columns.levels);
        for (at, line) in lines.iter().enumerate() {
            tree.enter(line);
            if let Shown::Log(_) | Shown::MoreLogs(_) = &line.shown {
                self.log_line(f, painter, &tree, line)?;
                continue;
            }
            writeln!(f)?;
            columns.line(f, painter, &tree, line)?;
            let has_children = lines.get(at + 1).is_some_and(|next| next.depth > line.depth);
            let below = Below { indent: format!("{} ", tree.below(has_children)), width: self.width, painter };
            if let Some(statistics) = line.sum().and_then(|sum| columns.statistics_beneath(sum)) {
                below.write(f, &statistics)?;
            }
            let Some(span) = line.span() else { continue };
            for error in error_lines(span, beneath.drawn) {
                below.write(f, &[(Paint::Red, error)])?;
            }
            if let Some(judged) = beneath.scores.line(Some(span.span_id())) {
                below.write(f, &[(Paint::Cyan, judged)])?;
            }
            if self.parts.documents {
                documents.lines(span, below.room()).iter().try_for_each(|parts| below.write(f, parts))?;
            }
        }
        Ok(())
    }

    /// Draws a log line, or the number of those that are left out.
    fn log_line(&self, f: &mut Formatter<'_>, painter: Painter, tree: &Tree, line: &Line<'_>) -> fmt::Result {
        let parts = match &line.shown {
            Shown::Log(row) => log_line::parts(row, self.trace),
            Shown::MoreLogs(more) => vec![(Paint::Dim, format!(" +{} more log lines", format_count(*more as u64)))],
            _ => Vec::new(),
        };
        let branch = tree.branch();
        let branch = if branch.is_empty() { "│".to_owned() } else { branch };
        Below { indent: branch, width: self.width, painter }.write(f, &parts)
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
    /// Returns the number of columns behind the indentation.
    fn room(&self) -> usize {
        self.width.saturating_sub(display_width(&self.indent))
    }

    fn write(&self, f: &mut Formatter<'_>, parts: &[(Paint, String)]) -> fmt::Result {
        writeln!(f)?;
        self.painter.paint(f, Paint::Dim, self.indent.trim_end())?;
        write!(f, "{:pad$}", "", pad = self.indent.len() - self.indent.trim_end().len())?;
        let mut room = self.room();
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
    format!("{} {what}{}", format_count(number as u64), if number == 1 { "" } else { "s" })
}
