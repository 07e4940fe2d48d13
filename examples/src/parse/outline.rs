//! The common result of all readers: text in blocks, with headings and pages marked.
//!
//! Everything that enters is [normalized](normalize) here, once for all formats. A blank line
//! separates blocks, and inside a block a line break means something: it separates the items of a
//! list, the rows of a table, or the lines of code.

use crate::document::{Heading, Loss, LossKind};
use crate::normalize::normalize;

/// The longest value of metadata that is kept, in bytes.
const LONGEST_VALUE: usize = 4 << 10;

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
        let title = on_one_line(title);
        if title.is_empty() {
            return;
        }
        self.separate();
        self.headings.push(Heading { start: self.text.len(), level, title: title.clone() });
        self.text.push_str(&title);
    }

    /// Adds a paragraph after a blank line. Its lines, if it has several, are those of a poem or an
    /// address.
    pub(super) fn paragraph(&mut self, text: &str) {
        let text = normalize(text);
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let Some(first) = lines.next() else { return };
        self.separate();
        self.text.push_str(first);
        for line in lines {
            self.text.push('\n');
            self.text.push_str(line);
        }
    }

    /// Adds the lines of a list, a table or code after a blank line, with their indents and the
    /// blank lines between them.
    pub(super) fn block(&mut self, text: &str) {
        let text = normalize(text);
        let mut blank = 0;
        let mut is_first = true;
        for line in text.lines().map(str::trim_end) {
            if line.is_empty() {
                blank += 1;
                continue;
            }
            if is_first {
                self.separate();
            } else {
                self.text.extend(std::iter::repeat_n('\n', 1 + blank));
            }
            self.text.push_str(line);
            (is_first, blank) = (false, 0);
        }
    }

    /// Adds a line of a list or a table directly below the text before it.
    pub(super) fn line(&mut self, text: &str) {
        let text = normalize(text);
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    /// Adds a table, a line for each row and a bar between two cells. Cells are on one line.
    pub(super) fn table<R: AsRef<[String]>>(&mut self, rows: impl IntoIterator<Item = R>) {
        self.block(&rows_text(rows));
    }

    /// Begins a page, to which everything added afterwards belongs.
    pub(super) fn page(&mut self) {
        let start = self.begin();
        self.page_starts.push(start);
    }

    /// Returns the byte offset at which everything added afterwards begins.
    pub(super) fn begin(&mut self) -> usize {
        self.separate();
        self.text.len()
    }

    /// Adds a fact about the document, unless its value is empty or its name is known already.
    pub(super) fn fact(&mut self, name: &str, value: &str) {
        let (name, mut value) = (on_one_line(name), on_one_line(value));
        value.truncate(value.floor_char_boundary(LONGEST_VALUE));
        if !value.is_empty() && !name.is_empty() && self.metadata.iter().all(|(known, _)| *known != name) {
            self.metadata.push((name, value));
        }
    }

    /// Adds a loss that concerns no page.
    pub(super) fn lose(&mut self, kind: LossKind, cause: impl Into<String>) {
        self.losses.push(Loss { page: None, kind, cause: cause.into() });
    }

    /// Adds everything of `other`, which follows.
    pub(super) fn append(&mut self, other: Self) {
        if !other.text.is_empty() {
            self.separate();
        }
        let at = self.text.len();
        self.text.push_str(&other.text);
        self.headings
            .extend(other.headings.into_iter().map(|heading| Heading { start: at + heading.start, ..heading }));
        self.page_starts.extend(other.page_starts.into_iter().map(|start| at + start));
        for (name, value) in other.metadata {
            self.fact(&name, &value);
        }
        self.losses.extend(other.losses);
    }

    /// Makes the metadata the text of a document that has no other text, so that it can be found.
    pub(super) fn or_metadata(&mut self) {
        if !self.text.trim().is_empty() {
            return;
        }
        let facts = self.metadata.clone();
        for (_, title) in facts.iter().filter(|(name, _)| name == "title") {
            self.heading(1, title);
        }
        for (name, value) in facts.iter().filter(|(name, _)| name != "title") {
            self.paragraph(&format!("{name}: {value}"));
        }
    }

    fn separate(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push_str("\n\n");
        }
    }
}

/// Returns the text of a table, a line for each row. Cells are trimmed and on one line.
pub(super) fn rows_text<R: AsRef<[String]>>(rows: impl IntoIterator<Item = R>) -> String {
    let mut text = String::new();
    for row in rows {
        for (at, cell) in row.as_ref().iter().enumerate() {
            text.push_str(if at > 0 { " | " } else { "" });
            push_on_one_line(&mut text, cell);
        }
        text.push('\n');
    }
    text
}

fn push_on_one_line(text: &mut String, words: &str) {
    for (at, word) in words.split_whitespace().enumerate() {
        text.push_str(if at > 0 { " " } else { "" });
        text.push_str(word);
    }
}

fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    push_on_one_line(&mut line, &normalize(text));
    line
}
