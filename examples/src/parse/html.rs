//! Reads web pages as a browser does, without what is not shown (scripts, styles).
//!
//! The tree is walked without recursion, so that a deeply nested page is merely slow.

use ego_tree::iter::Edge;
use scraper::{Html, Node};

use super::outline::Outline;

/// Elements whose content is never shown.
const HIDDEN: [&str; 8] = ["head", "script", "style", "template", "noscript", "svg", "iframe", "object"];

/// Elements that do not begin a line of their own.
const INLINE: [&str; 28] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "i", "ins", "kbd", "label", "mark",
    "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr",
];

/// Elements whose blocks are consecutive lines rather than paragraphs.
const LISTS: [&str; 5] = ["ul", "ol", "dl", "table", "menu"];

/// The text between two cells of a row.
const CELL_BREAK: &str = " | ";

/// Reads a page, or a part of one.
pub(super) fn outline(text: &str) -> Outline {
    let page = Html::parse_document(text);
    let mut reader = Reader::default();
    for edge in page.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Text(text) if reader.hidden == 0 => reader.push(text),
                Node::Element(element) => reader.open(element.name()),
                _ => {}
            },
            Edge::Close(node) => {
                if let Node::Element(element) = node.value() {
                    reader.close(element.name());
                }
            }
        }
    }
    reader.flush();
    reader.outline
}

#[derive(Default)]
struct Reader {
    outline: Outline,
    /// The text of the block being read.
    block: String,
    /// The number of open hidden elements.
    hidden: usize,
    /// The number of open `pre` elements, in which white space counts.
    verbatim: usize,
    /// The number of open lists and tables, whose blocks are lines and not paragraphs.
    in_lines: usize,
}

impl Reader {
    fn open(&mut self, name: &str) {
        if HIDDEN.contains(&name) {
            self.hidden += 1;
        } else if !INLINE.contains(&name) {
            self.break_before(name);
            self.verbatim += usize::from(name == "pre");
            self.in_lines += usize::from(LISTS.contains(&name));
        }
    }

    fn close(&mut self, name: &str) {
        if HIDDEN.contains(&name) {
            self.hidden = self.hidden.saturating_sub(1);
        } else if let Some(level) = heading_level(name) {
            self.outline.heading(level, &self.block);
            self.block.clear();
        } else if !INLINE.contains(&name) {
            self.break_before(name);
            self.verbatim = self.verbatim.saturating_sub(usize::from(name == "pre"));
            self.in_lines = self.in_lines.saturating_sub(usize::from(LISTS.contains(&name)));
        }
    }

    /// Ends the block being read. A cell stays on the line of its row.
    fn break_before(&mut self, name: &str) {
        match name {
            "td" | "th" if self.block.trim().is_empty() => {}
            "td" | "th" if self.block.ends_with(CELL_BREAK) => {}
            "td" | "th" => self.block.push_str(CELL_BREAK),
            "br" => self.block.push('\n'),
            _ => self.flush(),
        }
    }

    fn push(&mut self, text: &str) {
        if self.verbatim > 0 {
            self.block.push_str(text);
            return;
        }
        for (at, word) in text.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            if at > 0 && !self.block.ends_with([' ', '\n']) {
                self.block.push(' ');
            }
            self.block.push_str(word);
        }
    }

    fn flush(&mut self) {
        let block = self.block.trim().trim_end_matches(CELL_BREAK.trim());
        if self.in_lines > 0 {
            self.outline.line(block);
        } else {
            self.outline.paragraph(block);
        }
        self.block.clear();
    }
}

fn heading_level(name: &str) -> Option<u8> {
    ["h1", "h2", "h3", "h4", "h5", "h6"]
        .iter()
        .position(|heading| *heading == name)
        .and_then(|at| u8::try_from(at + 1).ok())
}
