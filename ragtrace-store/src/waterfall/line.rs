//! One line of the picture: a span, or a sum of similar spans.

use std::borrow::Cow;

use super::number::{cost, duration, grouped};
use super::sum::Sum;
use super::text::printable;
use crate::read::{SpanNode, SpanStatus};

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
}

impl<'a> Line<'a> {
    pub(super) fn span(&self) -> Option<SpanNode<'a>> {
        match self.shown {
            Shown::Span { span, .. } => Some(span),
            Shown::Sum { .. } => None,
        }
    }

    pub(super) fn sum(&self) -> Option<&Sum<'a>> {
        match &self.shown {
            Shown::Span { .. } => None,
            Shown::Sum { sum, .. } => Some(sum),
        }
    }

    pub(super) fn status(&self) -> SpanStatus {
        match &self.shown {
            Shown::Span { span, .. } => span.status(),
            Shown::Sum { sum, .. } => sum.status(),
        }
    }

    /// Returns the mark for a parent that is not drawn.
    pub(super) fn above(&self) -> &'static str {
        match &self.shown {
            Shown::Span { span, .. } => above(*span),
            Shown::Sum { above, .. } => above,
        }
    }

    pub(super) fn stage(&self) -> Cow<'a, str> {
        printable(match &self.shown {
            Shown::Span { span, .. } => span.stage(),
            Shown::Sum { sum, .. } => sum.stage,
        })
    }

    /// Returns the number of runs of a sum, as ` ×45`.
    pub(super) fn times(&self) -> String {
        self.sum().map(|sum| format!(" ×{}", grouped(sum.runs))).unwrap_or_default()
    }

    /// Returns the labels that distinguish the span from others of its stage, longest first.
    pub(super) fn labels(&self) -> &[String] {
        match &self.shown {
            Shown::Span { labels, .. } => labels,
            Shown::Sum { .. } => &[],
        }
    }

    /// Returns the duration, or the total duration of a sum, or the status if there is no duration.
    pub(super) fn time(&self) -> String {
        match &self.shown {
            Shown::Span { span, .. } => {
                let ended = !matches!(span.status(), SpanStatus::Open | SpanStatus::Lost);
                span.duration().filter(|_| ended).map_or_else(|| span.status().to_string(), duration)
            }
            Shown::Sum { sum, .. } => sum.time(),
        }
    }

    pub(super) fn count(&self) -> String {
        match &self.shown {
            Shown::Span { span, .. } => span.count().map(grouped).unwrap_or_default(),
            Shown::Sum { sum, .. } => sum.count(),
        }
    }

    pub(super) fn cost(&self) -> String {
        match &self.shown {
            Shown::Span { span, .. } => span.cost_usd().map(cost).unwrap_or_default(),
            Shown::Sum { sum, .. } => sum.cost(),
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
