//! The captured records as failure messages show them.

use std::collections::HashMap;
use std::fmt;

use ragtrace_core::Event;

use crate::record::Record;

/// All records of a capture, one on each line, indented by the depth of its stage.
pub(super) struct Tree<'a>(pub(super) &'a [Record]);

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing was captured");
        }
        writeln!(f, "captured:")?;
        let mut depths = HashMap::new();
        for record in self.0 {
            let is_score = record.event() == Event::Score;
            // The span id of a score is that of the run that it judges.
            let around = if is_score { record.span_id() } else { record.parent_span_id() };
            let depth = around.and_then(|around| depths.get(&around).copied()).unwrap_or(0);
            if let Some(span) = record.span_id().filter(|_| !is_score) {
                depths.insert(span, depth + 1);
            }
            writeln!(f, "{:indent$}{}", "", Line(record), indent = depth * 2)?;
        }
        Ok(())
    }
}

/// A record as a line of a failure message.
pub(super) struct Line<'a>(pub(super) &'a Record);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        write!(f, "{}", record.message())?;
        if let Some(duration) = record.duration() {
            write!(f, " {duration:.1?}")?;
        }
        if let Some(count) = record.count() {
            write!(f, " count={count}")?;
        }
        for (name, value) in record.metrics().chain(record.context()) {
            write!(f, " {name}={value}")?;
        }
        if let Some(score) = record.score() {
            write!(f, "={}", score.value())?;
        }
        if let Some(error) = record.error() {
            write!(f, " {}: {:?}", error.type_name(), error.message())?;
            error.chain().iter().try_for_each(|source| write!(f, " <- {source:?}"))?;
        }
        Ok(())
    }
}
