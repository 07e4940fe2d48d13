//! Status marks and colours.

use std::fmt::{Formatter, Result};

use ragtrace::StageKind;

use crate::read::{SpanNode, SpanStatus};

/// The sign of a line on the critical path.
pub(super) const ON_PATH: &str = "◆";

#[derive(Clone, Copy)]
pub(super) struct Painter {
    pub(super) colour: bool,
}

/// A style, as the parameter of its escape sequence (ECMA-48, section 8.3.117).
#[derive(Clone, Copy)]
pub(super) enum Paint {
    /// No style.
    Plain = 0,
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
    Blue = 34,
    Magenta = 35,
    Cyan = 36,
}

impl Painter {
    pub(super) fn paint(self, f: &mut Formatter<'_>, paint: Paint, text: &str) -> Result {
        if self.colour && paint as u8 != Paint::Plain as u8 && !text.is_empty() {
            write!(f, "\x1b[{}m{text}\x1b[0m", paint as u8)
        } else {
            f.write_str(text)
        }
    }
}

pub(super) fn mark(status: SpanStatus) -> &'static str {
    match status {
        SpanStatus::Open => "◌",
        SpanStatus::Completed => "✓",
        SpanStatus::Failed => "✗",
        SpanStatus::Cancelled => "⊘",
        SpanStatus::Lost => "?",
    }
}

pub(super) fn of_status(status: SpanStatus) -> Paint {
    match status {
        SpanStatus::Open => Paint::Blue,
        SpanStatus::Completed => Paint::Green,
        SpanStatus::Failed => Paint::Red,
        SpanStatus::Cancelled | SpanStatus::Lost => Paint::Yellow,
    }
}

/// Returns a bar's colour: by status if something went wrong, else by the stage's kind.
pub(super) fn of_span(span: SpanNode<'_>) -> Paint {
    match (span.status(), span.kind()) {
        (SpanStatus::Completed, Some(kind)) => of_kind(kind),
        (status, _) => of_status(status),
    }
}

fn of_kind(kind: StageKind) -> Paint {
    match kind {
        StageKind::Parse | StageKind::Chunk | StageKind::Enrich => Paint::Cyan,
        StageKind::Embed | StageKind::Generate => Paint::Magenta,
        StageKind::Store | StageKind::Retrieve | StageKind::Rerank => Paint::Blue,
        _ => Paint::Green,
    }
}
