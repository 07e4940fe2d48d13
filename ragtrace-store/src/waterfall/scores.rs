//! Formats scores for a line below a span or the header: `faithfulness 0.83 · helpful yes`.

use std::collections::{HashMap, HashSet};

use ragtrace::{SpanId, Value};

use super::number::grouped;
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
            many => Some(format!("★ {} scores of spans that are not drawn", grouped(many as u64))),
        }
    }
}

fn judgement(score: &ScoreRow) -> String {
    let value = match score.value() {
        Value::Bool(flag) => (if *flag { "yes" } else { "no" }).into(),
        Value::Text(label) => printable(label).into_owned(),
        value => value.as_f64().map(number).unwrap_or_default(),
    };
    format!("{} {value}", printable(score.name()))
}

/// Formats a number with at most three decimals, or in exponent form if it is very large or small.
fn number(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude >= 1e9 || (magnitude > 0.0 && magnitude < 0.001) {
        return format!("{number:.2e}");
    }
    let shown = format!("{number:.3}");
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_as_many_digits_as_tell_something() {
        for (of, shown) in [
            (0.83, "0.83"),
            (4.0, "4"),
            (0.1 + 0.2, "0.3"),
            (100.0, "100"),
            (-0.5, "-0.5"),
            (0.0, "0"),
            (1e-9, "1.00e-9"),
        ] {
            assert_eq!(number(of), shown);
        }
        assert_eq!((number(1e300), number(123_456.789_1)), ("1.00e300".to_owned(), "123456.789".to_owned()));
    }
}
