//! The spans of a trace as columns, one array per property, for the page's waterfall.
//!
//! A page gets 10,000 spans as half a megabyte, and reads them without making an object per span.
//! The contents of a span are not among it: its panel brings them when it is opened.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use ragtrace::{StageKind, Timestamp};
use ragtrace_store::{Labels, ScoreRow, SpanNode, SpanStatus, Trace, printable};
use serde::Serialize;

use super::micros::micros;
use super::path;

/// The longest label, error or list of scores on a row, in characters. The panel has them whole.
const LONGEST: usize = 200;

/// The columns, with the spans in depth-first order. Times are microseconds from the trace's start.
#[derive(Serialize)]
pub(super) struct Columns<'a> {
    version: String,
    state: &'static str,
    duration: u64,
    /// The time since the start of the trace, if it still runs.
    age: Option<u64>,
    truncated: bool,
    stages: Vec<String>,
    kinds: Vec<&'a str>,
    span: Vec<String>,
    depth: Vec<usize>,
    stage: Vec<usize>,
    kind: Vec<usize>,
    /// One letter per span.
    status: String,
    start: Vec<u64>,
    took: Vec<Option<u64>>,
    #[serde(rename = "self")]
    own: Vec<Option<u64>>,
    count: Vec<Option<u64>>,
    cost: Vec<Option<f64>>,
    /// By the span's place, as few have one.
    label: BTreeMap<usize, String>,
    error: BTreeMap<usize, String>,
    score: BTreeMap<usize, String>,
    /// The parts of the critical path: a span's place, and from when to when.
    critical: Vec<(usize, u64, u64)>,
}

impl<'a> Columns<'a> {
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn of(trace: &'a Trace) -> Self {
        let is_open = trace.status() == SpanStatus::Open;
        let mut columns = Self {
            version: version(trace),
            state: trace.status().as_str(),
            duration: micros(trace.duration()),
            age: is_open.then(|| micros(Timestamp::now().since(trace.started_at()))),
            truncated: trace.is_truncated(),
            stages: Vec::new(),
            kinds: Vec::new(),
            span: Vec::new(),
            depth: Vec::new(),
            stage: Vec::new(),
            kind: Vec::new(),
            status: String::new(),
            start: Vec::new(),
            took: Vec::new(),
            own: Vec::new(),
            count: Vec::new(),
            cost: Vec::new(),
            label: BTreeMap::new(),
            error: BTreeMap::new(),
            score: scores(trace),
            critical: path::parts(trace),
        };
        let labels = Labels::of(trace);
        let (mut stages, mut kinds) = (Names::default(), Names::default());
        for (at, span) in trace.spans().enumerate() {
            columns.stage.push(stages.index(span.stage()));
            columns.kind.push(kinds.index(span.kind().map_or("none", StageKind::as_str)));
            if let Some(label) = labels.label(span) {
                columns.label.insert(at, short(&label));
            }
            columns.push(at, span, trace.started_at());
        }
        columns.stages = stages.names.iter().map(|name| short(name)).collect();
        columns.kinds = kinds.names;
        columns
    }

    fn push(&mut self, at: usize, span: SpanNode<'_>, begin: Timestamp) {
        self.span.push(span.span_id().to_string());
        self.depth.push(span.depth());
        self.status.push(letter(span.status()));
        self.start.push(micros(span.started_at().since(begin)));
        self.took.push(span.duration().map(micros));
        self.own.push(span.self_time().map(micros));
        self.count.push(span.count());
        self.cost.push(span.cost_usd().filter(|cost| cost.is_finite()));
        if let Some(error) = span.error() {
            self.error.insert(at, short(&format!("{}: {}", error.type_name(), error.message())));
        }
    }
}

/// Returns a text that changes with every record and score of the trace, and with its status.
pub(super) fn version(trace: &Trace) -> String {
    format!("{}.{}.{}", trace.logs().len(), trace.scores().len(), trace.status())
}

/// Names in the order of their first use, each once.
#[derive(Default)]
struct Names<'a> {
    names: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn index(&mut self, name: &'a str) -> usize {
        *self.places.entry(name).or_insert_with(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }
}

fn scores(trace: &Trace) -> BTreeMap<usize, String> {
    let mut judged: BTreeMap<usize, String> = BTreeMap::new();
    if trace.scores().is_empty() {
        return judged;
    }
    let places: HashMap<_, _> = trace.spans().enumerate().map(|(at, span)| (span.span_id(), at)).collect();
    for score in trace.scores() {
        let Some(&at) = score.span_id().and_then(|id| places.get(&id)) else { continue };
        let text = judged.entry(at).or_default();
        if text.len() < LONGEST {
            let _ = write!(text, "{}{}", if text.is_empty() { "" } else { " · " }, short(&score_text(score)));
        }
    }
    judged
}

/// Returns a score's name and value, as in `faithfulness 0.83`.
pub(super) fn score_text(score: &ScoreRow) -> String {
    match score.value() {
        ragtrace::Value::Bool(true) => format!("{} yes", score.name()),
        ragtrace::Value::Bool(false) => format!("{} no", score.name()),
        value => format!("{} {value}", score.name()),
    }
}

/// Returns the start of a text, with characters that hide or reorder others written out.
fn short(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST).collect();
    let shown = printable(&cut).into_owned();
    if cut.len() < text.len() { shown + "…" } else { shown }
}

fn letter(status: SpanStatus) -> char {
    match status {
        SpanStatus::Completed => 'c',
        SpanStatus::Failed => 'f',
        SpanStatus::Cancelled => 'x',
        SpanStatus::Open => 'o',
        _ => 'l',
    }
}
