//! Computes where a span's bar begins and ends, to an eighth of a cell.

use std::time::Duration;

use crate::read::{SpanStatus, Trace};
use ragtrace::Timestamp;

/// Cells filled from the left, in eighths (Unicode, block elements).
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Converts times into cells.
pub(super) struct Scale {
    began: Timestamp,
    total: Duration,
    cells: usize,
}

/// The bar of one line, and the blanks before it.
pub(super) struct Bar {
    pub(super) blank: String,
    pub(super) filled: String,
}

impl Scale {
    pub(super) fn of(trace: &Trace, cells: usize) -> Self {
        Self { began: trace.started_at(), total: trace.duration(), cells }
    }

    pub(super) fn total(&self) -> Duration {
        self.total
    }

    /// Returns the bar from one instant to another, or to the end of the trace.
    pub(super) fn bar(&self, from: Timestamp, to: Option<Timestamp>, status: SpanStatus) -> Bar {
        let start = from.since(self.began);
        let end = to.map_or(self.total, |to| to.since(self.began));
        let all = self.cells * 8;
        // Every bar is visible, even that of a span which took no time or lies at the very end.
        let from = self.eighths(start).min(all - 1);
        let to = self.eighths(end).clamp(from + 1, all);
        let body = match status {
            SpanStatus::Open | SpanStatus::Lost => "░",
            SpanStatus::Cancelled => "▒",
            SpanStatus::Completed | SpanStatus::Failed => "█",
        };
        let cell = from / 8;
        Bar { blank: " ".repeat(cell), filled: fill(from - cell * 8, to - cell * 8, body) }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of some hundred cells"
    )]
    fn eighths(&self, at: Duration) -> usize {
        let share = at.as_secs_f64() / self.total.as_secs_f64().max(f64::MIN_POSITIVE);
        (share.clamp(0.0, 1.0) * (self.cells * 8) as f64).round() as usize
    }
}

/// Returns cells filled from one eighth to another; `from` lies in the first cell. Unicode has only
/// a half cell filled from the right, so a beginning is rounded to halves.
fn fill(from: usize, to: usize, body: &str) -> String {
    if to <= 8 {
        let short = EIGHTHS.get(to - from).copied().unwrap_or(body);
        return if from >= 4 { "▐".to_owned() } else { short.to_owned() };
    }
    let first = if from >= 4 { "▐" } else { body };
    let whole = body.repeat(to / 8 - 1);
    // A shaded body has no eighths, so it ends at a full cell.
    let rest = if body == "█" { EIGHTHS[to % 8] } else { "" };
    format!("{first}{whole}{rest}")
}
