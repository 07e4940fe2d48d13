//! One line of the picture: a span, or a sum over alike ones.

use std::borrow::Cow;

use super::number::{cost, duration, grouped};
use super::sum::Sum;
use super::text::printable;
use crate::read::{SpanNode, SpanStatus};

/// A line of the picture.
pub(super) struct Line<'a> {
    /// How many ancestors it has.
    pub(super) depth: usize,
    pub(super) is_last_child: bool,
    pub(super) shown: Shown<'a>,
}

/// The content of a line.
pub(super) enum Shown<'a> {
    /// A span, and what tells it from others of its stage: the longest form first.
    Span { span: SpanNode<'a>, labels: Vec<String> },
    /// Alike spans together, and the mark of a parent that is not drawn.
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

    /// Returns a mark for a parent that is not drawn.
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

    /// Returns how often a stage ran, for a sum.
    pub(super) fn times(&self) -> String {
        self.sum().map(|sum| format!(" ×{}", grouped(sum.runs))).unwrap_or_default()
    }

    /// Returns what tells the span from others of its stage, the longest form first.
    pub(super) fn labels(&self) -> &[String] {
        match &self.shown {
            Shown::Span { labels, .. } => labels,
            Shown::Sum { .. } => &[],
        }
    }

    /// Returns the duration, of a sum that of all together; or how the span stands.
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

/// Returns a mark for a parent that is not drawn: it is elsewhere, or it is missing.
pub(super) fn above(span: SpanNode<'_>) -> &'static str {
    match (span.has_remote_parent(), span.is_orphan()) {
        (true, _) => "⇡",
        (_, true) => "⇡?",
        _ => "",
    }
}
