//! One line of the picture: a span, a sum of similar spans, or a log line.

use std::borrow::Cow;

use super::number::{format_cost, format_count, format_duration};
use super::sum::Sum;
use super::text::printable;
use crate::read::{LogRow, SpanNode, SpanStatus};

/// A line of the picture.
pub(super) struct Line<'a> {
    /// The number of ancestors.
    pub(super) depth: usize,
    pub(super) is_last_child: bool,
    pub(super) shown: Shown<'a>,
}

/// The content of a line.
pub(super) enum Shown<'a> {
    /// A span, and the labels that distinguish it from others of its stage, longest first.
    Span { span: SpanNode<'a>, labels: Vec<String> },
    /// A sum of similar spans, and the mark for a parent that is not drawn.
    Sum { sum: Sum<'a>, above: &'static str },
    /// A log line.
    Log(&'a LogRow),
    /// The number of log lines that are left out.
    MoreLogs(usize),
}

impl<'a> Line<'a> {
    pub(super) fn span(&self) -> Option<SpanNode<'a>> {
        match self.shown {
            Shown::Span { span, .. } => Some(span),
            _ => None,
        }
    }

    pub(super) fn sum(&self) -> Option<&Sum<'a>> {
        match &self.shown {
            Shown::Sum { sum, .. } => Some(sum),
            _ => None,
        }
    }

    pub(super) fn status(&self) -> SpanStatus {
        match &self.shown {
            Shown::Span { span, .. } => span.status(),
            Shown::Sum { sum, .. } => sum.status(),
            Shown::Log(_) | Shown::MoreLogs(_) => SpanStatus::Completed,
        }
    }

    /// Returns `true` if the span, or one of the spans of the sum, is on the critical path.
    pub(super) fn is_on_path(&self) -> bool {
        match &self.shown {
            Shown::Span { span, .. } => span.critical_time().is_some(),
            Shown::Sum { sum, .. } => sum.is_on_path,
            Shown::Log(_) | Shown::MoreLogs(_) => false,
        }
    }

    /// Returns the mark for a parent that is not drawn.
    pub(super) fn above(&self) -> &'static str {
        match &self.shown {
            Shown::Span { span, .. } => above(*span),
            Shown::Sum { above, .. } => above,
            Shown::Log(_) | Shown::MoreLogs(_) => "",
        }
    }

    pub(super) fn stage(&self) -> Cow<'a, str> {
        printable(match &self.shown {
            Shown::Span { span, .. } => span.stage(),
            Shown::Sum { sum, .. } => sum.stage,
            Shown::Log(_) | Shown::MoreLogs(_) => "",
        })
    }

    /// Returns the number of runs of a sum, as ` ×45`.
    pub(super) fn times(&self) -> String {
        self.sum().map(|sum| format!(" ×{}", format_count(sum.runs))).unwrap_or_default()
    }

    /// Returns the labels that distinguish the span from others of its stage, longest first.
    pub(super) fn labels(&self) -> &[String] {
        match &self.shown {
            Shown::Span { labels, .. } => labels,
            _ => &[],
        }
    }

    /// Returns the duration, or the total duration of a sum, or the status if there is no duration.
    pub(super) fn time(&self) -> String {
        match &self.shown {
            Shown::Span { span, .. } => {
                let ended = !matches!(span.status(), SpanStatus::Open | SpanStatus::Lost);
                span.duration().filter(|_| ended).map_or_else(|| span.status().to_string(), format_duration)
            }
            Shown::Sum { sum, .. } => sum.time(),
            Shown::Log(_) | Shown::MoreLogs(_) => String::new(),
        }
    }

    /// Returns the self time, or the total of a sum.
    pub(super) fn self_time(&self) -> String {
        match &self.shown {
            Shown::Span { span, .. } => span.self_time().map(format_duration).unwrap_or_default(),
            Shown::Sum { sum, .. } => sum.self_time(),
            Shown::Log(_) | Shown::MoreLogs(_) => String::new(),
        }
    }

    pub(super) fn count(&self) -> String {
        match &self.shown {
            Shown::Span { span, .. } => span.count().map(format_count).unwrap_or_default(),
            Shown::Sum { sum, .. } => sum.count(),
            Shown::Log(_) | Shown::MoreLogs(_) => String::new(),
        }
    }

    pub(super) fn cost(&self) -> String {
        match &self.shown {
            Shown::Span { span, .. } => span.cost_usd().map(format_cost).unwrap_or_default(),
            Shown::Sum { sum, .. } => sum.cost(),
            Shown::Log(_) | Shown::MoreLogs(_) => String::new(),
        }
    }
}

/// Returns the mark for a parent that is not drawn, because it is in another process or missing.
pub(super) fn above(span: SpanNode<'_>) -> &'static str {
    match (span.has_remote_parent(), span.is_orphan()) {
        (true, _) => "⇡",
        (_, true) => "⇡?",
        _ => "",
    }
}
