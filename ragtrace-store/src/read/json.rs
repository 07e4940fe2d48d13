//! Converts traces and rows to JSON, for programs that read the output of `ragtrace`.

use ragtrace::{RecordItem, StageKind};

use super::row::LogRow;
use super::score::ScoreRow;
use super::trace::{SpanNode, Trace};
use crate::object::Object;
use crate::tables::millis;

impl Trace {
    /// Returns the trace as one JSON object: `{trace_id, status, duration_ms, spans: […], logs:
    /// […], scores: […]}`.
    ///
    /// The spans are in depth-first order, as [`SpanNode::to_json`] returns them; the logs are as
    /// from [`LogRow::to_json`], the scores as from [`ScoreRow::to_json`]. Absent values are
    /// `null`.
    pub fn to_json(&self) -> String {
        let spans: Vec<String> = self.spans().map(SpanNode::to_json).collect();
        let logs: Vec<String> = self.logs().iter().map(LogRow::to_json).collect();
        let scores: Vec<String> = self.scores().iter().map(ScoreRow::to_json).collect();
        Object::new()
            .with("trace_id", self.trace_id().to_string())
            .with("status", self.status().as_str())
            .with("duration_ms", millis(self.duration()))
            .with_json("spans", &format!("[{}]", spans.join(",")))
            .with_json("logs", &format!("[{}]", logs.join(",")))
            .with_json("scores", &format!("[{}]", scores.join(",")))
            .close()
    }
}

impl SpanNode<'_> {
    /// Returns the span as one JSON object: `{stage, kind, status, span_id, parent_span_id,
    /// started_at, duration_ms, self_ms, critical_ms, count, context, metrics, error}`, and
    /// `source`, `stack_trace`, `used`, `generated` and `scores` if it has any.
    ///
    /// `self_ms` is the [self time](Self::self_time), and `critical_ms` the time for which the
    /// [critical path](Self::critical_time) is the span's own: `null` if it is not on the path. The
    /// scores are as from [`ScoreRow::to_json`]. `metrics` repeats `duration_ms`, `busy_ms` and
    /// `count`, as the record does. `used` and `generated` are lists of items: `{type, id, score,
    /// content, source, derived_from}`, without those that were not recorded. `source` is `{file,
    /// line}`.
    pub fn to_json(self) -> String {
        let or = |json: Option<String>, absent: &str| json.unwrap_or_else(|| absent.to_owned());
        let span = Object::new()
            .with("stage", self.stage())
            .with("kind", self.kind().map(StageKind::as_str))
            .with("status", self.status().as_str())
            .with("span_id", self.span_id().to_string())
            .with("parent_span_id", self.parent_span_id().map(|id| id.to_string()))
            .with("started_at", self.started_at().to_string())
            .with("duration_ms", self.duration().map(millis))
            .with("self_ms", self.self_time().map(millis))
            .with("critical_ms", self.critical_time().map(millis))
            .with("count", self.count())
            .with_json("context", &or(self.record().context_json(), "{}"))
            .with_json("metrics", &or(self.record().metrics_json(), "{}"))
            .with_json("error", &or(self.record().error_json(), "null"));
        let source = self.record().source().map(|(file, line)| Object::new().with("file", file).with("line", line));
        let span = match source {
            Some(source) => span.with_json("source", &source.close()),
            None => span,
        };
        let span = match self.stack_trace() {
            Some(stack_trace) => span.with("stack_trace", stack_trace),
            None => span,
        };
        let lists = [
            ("used", self.record().used().iter().map(item).collect()),
            ("generated", self.record().generated().iter().map(item).collect()),
            ("scores", self.scores().map(ScoreRow::to_json).collect::<Vec<_>>()),
        ];
        let not_empty = lists.into_iter().filter(|(_, list)| !list.is_empty());
        not_empty.fold(span, |span, (name, list)| span.with_json(name, &format!("[{}]", list.join(",")))).close()
    }
}

/// Returns an item as in a record's canonical JSON.
fn item(item: &RecordItem) -> String {
    let mut members = Object::new().with("type", item.item_type()).with("id", item.id());
    if let Some(score) = item.score() {
        members = members.with("score", score);
    }
    let texts = [("content", item.content()), ("source", item.source()), ("derived_from", item.derived_from())];
    for (name, text) in texts {
        if let Some(text) = text {
            members = members.with(name, text);
        }
    }
    members.close()
}

impl LogRow {
    /// Returns the row as one JSON object: the record's canonical JSON, and `created_at`.
    pub fn to_json(&self) -> String {
        Object::of(self.record().to_json()).with("created_at", self.created_at().to_string()).close()
    }
}
