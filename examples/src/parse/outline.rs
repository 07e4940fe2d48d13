//! The common result of all readers: text in paragraphs, with headings and pages marked.

use crate::document::{Heading, Loss};

/// The text of a document while it is being read.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) text: String,
    pub(super) headings: Vec<Heading>,
    pub(super) page_starts: Vec<usize>,
    pub(super) metadata: Vec<(String, String)>,
    pub(super) losses: Vec<Loss>,
}

impl Outline {
    /// Adds a heading of `level` 1 to 6, unless it has no words.
    pub(super) fn heading(&mut self, level: u8, title: &str) {
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        if title.is_empty() {
            return;
        }
        self.separate("\n\n");
        self.headings.push(Heading { start: self.text.len(), level, title: title.clone() });
        self.text.push_str(&title);
    }

    /// Adds a paragraph after a blank line.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.add("\n\n", text);
    }

    /// Adds a line of a list, a table or a poem, directly below the last one.
    pub(super) fn line(&mut self, text: &str) {
        self.add("\n", text);
    }

    /// Begins a page, to which everything added afterwards belongs.
    pub(super) fn page(&mut self) {
        let start = self.begin();
        self.page_starts.push(start);
    }

    /// Returns the byte offset at which everything added afterwards begins.
    pub(super) fn begin(&mut self) -> usize {
        self.separate("\n\n");
        self.text.len()
    }

    fn add(&mut self, separator: &str, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.separate(separator);
            self.text.push_str(text);
        }
    }

    fn separate(&mut self, separator: &str) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push_str(separator);
        }
    }
}
