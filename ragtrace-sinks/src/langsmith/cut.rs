//! Cuts parts that are too large for any request.

use std::sync::atomic::{AtomicU64, Ordering};

use ragtrace::__json::write_text;

use super::run::Part;

/// Replaces each part that is longer than a limit by a mark.
#[derive(Debug)]
pub(super) struct Cut {
    longest: usize,
    parts: AtomicU64,
}

impl Cut {
    /// Returns a cut without a limit.
    pub(super) fn nothing() -> Self {
        Self { longest: usize::MAX, parts: AtomicU64::new(0) }
    }

    /// Returns a cut to each part's share of a request with one run, which then fits.
    pub(super) fn to_fit(request: usize) -> Self {
        Self { longest: request / (Part::ALL.len() + 1), parts: AtomicU64::new(0) }
    }

    /// Replaces the content of a part if it is too long.
    pub(super) fn apply(&self, part: Part, out: &mut Vec<u8>) {
        let length = out.len();
        if length <= self.longest {
            return;
        }
        out.clear();
        let mark = format!("[cut: {length} bytes are more than LangSmith takes]");
        let (before, after): (&[u8], &[u8]) = match part {
            Part::Inputs => (b"{\"input\":", b"}"),
            Part::Outputs => (b"{\"output\":", b"}"),
            Part::Events => (b"[{\"name\":", b"}]"),
            Part::Extra => (b"{\"metadata\":{\"cut\":", b"}}"),
            Part::Error => (b"", b""),
        };
        out.extend_from_slice(before);
        write_text(out, &mark);
        out.extend_from_slice(after);
        self.parts.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of parts that were cut.
    pub(super) fn parts(&self) -> u64 {
        self.parts.load(Ordering::Relaxed)
    }
}
