//! The blocks of a document with nested lists: what Markdown, HTML and Word have in common.
//!
//! Inside a list, every block is lines below the mark of its item. Outside, it goes to the
//! [`Outline`] as it is.

use super::outline::{Outline, rows_text};

/// The deepest indent of a list's items, in levels.
const DEEPEST: usize = 16;

/// The blocks of a document while it is being read.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) outline: Outline,
    /// The open lists.
    lists: Vec<List>,
    /// The lines of the outermost open list.
    lines: String,
    /// The mark of the item that has no line yet, with its indent.
    mark: Option<String>,
    /// The words that the next block begins with.
    prefix: String,
}

/// An open list.
#[derive(Debug)]
struct List {
    /// The number of its next item, if it is ordered.
    next: Option<u64>,
    is_in_item: bool,
}

impl Flow {
    /// Adds a heading. It ends the lines of a list, so that what follows belongs to its section.
    pub(super) fn heading(&mut self, level: u8, title: &str) {
        self.end_lines();
        self.mark = None;
        self.outline.heading(level, title);
    }

    /// Adds a paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let prefix = std::mem::take(&mut self.prefix);
        let text = if prefix.is_empty() { text } else { &format!("{prefix}{}", text.trim_start()) };
        if self.lists.is_empty() {
            self.outline.paragraph(text);
        } else {
            self.add_lines(text.lines().map(str::trim));
        }
    }

    /// Adds lines whose indents count.
    pub(super) fn block(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if self.lists.is_empty() {
            self.outline.block(text);
        } else {
            self.add_lines(text.trim_matches('\n').lines());
        }
    }

    /// Adds a table, a line for each row.
    pub(super) fn table(&mut self, rows: &[Vec<String>]) {
        self.block(&rows_text(rows));
    }

    /// Sets the words that the next paragraph begins with.
    pub(super) fn prefix(&mut self, prefix: String) {
        self.prefix = prefix;
    }

    /// Begins a list, whose items are numbered from `start`.
    pub(super) fn open_list(&mut self, start: Option<u64>) {
        self.lists.push(List { next: start, is_in_item: false });
    }

    /// Ends the innermost list.
    pub(super) fn close_list(&mut self) {
        self.lists.pop();
        if self.lists.is_empty() {
            self.end_lines();
            self.mark = None;
        }
    }

    /// Begins an item of the innermost list, with its number if it is not the next one.
    pub(super) fn open_item(&mut self, number: Option<u64>) {
        let mark = match self.lists.last_mut().map(|list| &mut list.next) {
            Some(Some(next)) => {
                let number = number.unwrap_or(*next);
                *next = number.saturating_add(1);
                format!("{number}. ")
            }
            _ => "- ".to_owned(),
        };
        self.mark(&mark);
    }

    /// Begins an item with a mark of its own.
    pub(super) fn mark(&mut self, mark: &str) {
        if let Some(list) = self.lists.last_mut() {
            list.is_in_item = true;
        }
        self.mark = Some(format!("{}{mark}", self.indent(1)));
    }

    /// Adds to the mark of the item that has just begun.
    pub(super) fn extend_mark(&mut self, more: &str) {
        self.mark.get_or_insert_default().push_str(more);
    }

    /// Ends an item.
    pub(super) fn close_item(&mut self) {
        self.mark = None;
        if let Some(list) = self.lists.last_mut() {
            list.is_in_item = false;
        }
    }

    /// Ends everything.
    pub(super) fn finish(mut self) -> Outline {
        self.end_lines();
        self.outline
    }

    fn end_lines(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        self.outline.block(&lines);
    }

    fn add_lines<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        let indent = self.indent(usize::from(self.lists.last().is_none_or(|list| !list.is_in_item)));
        for line in lines {
            match self.mark.take() {
                Some(mark) => self.lines.push_str(&mark),
                None if line.is_empty() => {}
                None => self.lines.push_str(&indent),
            }
            self.lines.push_str(line);
            self.lines.push('\n');
        }
    }

    /// Returns the indent of the innermost list's text, less some levels.
    fn indent(&self, less: usize) -> String {
        "  ".repeat(self.lists.len().min(DEEPEST).saturating_sub(less))
    }
}
