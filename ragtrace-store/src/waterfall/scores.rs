//! Formats scores for a line below a span or the header: `faithfulness 0.83 · helpful yes`.

use std::collections::{HashMap, HashSet};

use ragtrace::{SpanId, Value};

use super::number::{format_count, format_score};
use super::text::printable;
use crate::read::{ScoreRow, Trace};

/// The largest number of scores shown of one span.
const SHOWN: usize = 8;

/// The scores of a trace by what they judge: a span, or `None` for the trace as a whole.
pub(super) struct Scores<'a>(HashMap<Option<SpanId>, Vec<&'a ScoreRow>>);

impl<'a> Scores<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        let mut scores: HashMap<Option<SpanId>, Vec<&ScoreRow>> = HashMap::new();
        for score in trace.scores() {
            scores.entry(score.span_id()).or_default().push(score);
        }
        Self(scores)
    }

    /// Returns the line for the scores of a span, or of the trace as a whole.
    pub(super) fn line(&self, span: Option<SpanId>) -> Option<String> {
        let scores = self.0.get(&span)?;
        let more = scores.len().saturating_sub(SHOWN);
        let shown = scores.iter().take(SHOWN).map(|score| judgement(score));
        let more = (more > 0).then(|| format!("{more} more"));
        Some(format!("★ {}", shown.chain(more).collect::<Vec<_>>().join(" · ")))
    }

    /// Returns the line for the number of scores of spans that are not drawn, because they are
    /// folded or missing.
    pub(super) fn not_drawn(&self, drawn: &HashSet<SpanId>) -> Option<String> {
        let is_hidden = |span: &Option<SpanId>| span.is_some_and(|span| !drawn.contains(&span));
        match self.0.iter().filter(|(span, _)| is_hidden(span)).map(|(_, scores)| scores.len()).sum::<usize>() {
            0 => None,
            1 => Some("★ 1 score of a span that is not drawn".to_owned()),
            many => Some(format!("★ {} scores of spans that are not drawn", format_count(many as u64))),
        }
    }
}

fn judgement(of: &ScoreRow) -> String {
    let value = match of.value() {
        Value::Bool(flag) => (if *flag { "yes" } else { "no" }).into(),
        Value::Text(label) => printable(label).into_owned(),
        value => value.as_f64().map(format_score).unwrap_or_default(),
    };
    format!("{} {value}", printable(of.name()))
}
