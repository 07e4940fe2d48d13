//! Reads plain text: paragraphs, lists, tables, code and underlined headings.
//!
//! Lines of a paragraph that were broken to fit a page are joined. Lines of everything else stay as
//! they are, with their indents ([`layout`](super::layout) tells which is which). A form feed ends
//! a page.

use super::joining::Joiner;
use super::layout::{self, Item, Shape};
use super::outline::Outline;
use crate::normalize::printed;

/// Reads plain text.
pub(super) fn outline(text: &str) -> Outline {
    let mut outline = Outline::default();
    let reflow = Reflow::of(text);
    let pages = text.trim_end().trim_end_matches('\u{c}').trim_start_matches('\u{c}');
    if pages.contains('\u{c}') {
        for page in pages.split('\u{c}') {
            outline.page();
            reflow.add(&printed(page), &mut outline);
        }
    } else {
        reflow.add(&printed(pages), &mut outline);
    }
    outline
}

/// The reader of the blocks of one document.
pub(super) struct Reflow {
    joiner: Joiner,
    /// The usual length of a line that goes on in the next one, or 0 if there are few.
    width: usize,
}

impl Reflow {
    /// Creates the reader for the document of `text`.
    pub(super) fn of(text: &str) -> Self {
        Self { joiner: Joiner::of(text), width: layout::usual_width(text) }
    }

    /// Adds the blocks of `text`, a part of the document. A blank line ends a block.
    pub(super) fn add(&self, text: &str, outline: &mut Outline) {
        let mut block: Vec<&str> = Vec::new();
        let mut last = Shape::Prose;
        for line in text.lines().map(str::trim_end).chain([""]) {
            if !line.trim().is_empty() {
                block.push(line);
            } else if !block.is_empty() {
                last = self.add_block(&block, last, outline);
                block.clear();
            }
        }
    }

    /// Adds a block of at least one line, after one of the shape `last`. Returns its shape.
    fn add_block(&self, mut lines: &[&str], last: Shape, outline: &mut Outline) -> Shape {
        while let Some((level, title, used)) = layout::heading(lines) {
            outline.heading(level, title);
            lines = &lines[used..];
            if lines.is_empty() {
                return Shape::Prose;
            }
        }
        let shape = layout::shape(lines, self.width, last);
        match shape {
            Shape::Prose => outline.paragraph(&self.joined(lines)),
            Shape::Lines | Shape::Code => outline.block(&lines.join("\n")),
            Shape::List => self.add_list(lines, outline),
        }
        shape
    }

    /// Adds a list, after the paragraph that introduces it without a blank line.
    fn add_list(&self, lines: &[&str], outline: &mut Outline) {
        let items = layout::items(lines);
        let first = items.first().map_or(lines.len(), |item| item.line);
        match &lines[..first] {
            [] => {}
            lead if lead.len() == 1 || layout::is_filled(lead, self.width) => outline.paragraph(&self.joined(lead)),
            lead => outline.block(&lead.join("\n")),
        }
        let mut list = String::new();
        let ends = items.iter().skip(1).map(|item| item.line).chain([lines.len()]);
        for (item, end) in items.iter().zip(ends) {
            self.add_item(item, &lines[item.line..end], &mut list);
        }
        outline.block(&list);
    }

    /// Adds an item to the text of its list. Its lines are joined if they are indented below its
    /// text or were broken to fit.
    fn add_item(&self, item: &Item, lines: &[&str], list: &mut String) {
        let indent = layout::indent(lines[0]);
        let is_prose =
            lines[1..].iter().all(|line| layout::indent(line) > indent) || layout::is_filled(lines, self.width);
        list.push_str(&lines[0][..lines[0].len() - lines[0].trim_start().len()]);
        let mut text = lines[0].trim_start().to_owned();
        for line in &lines[1..] {
            // What is indented deeper is code, or a table, of the item.
            if is_prose && layout::indent(line) < item.text_column + 4 {
                self.joiner.join(&mut text, line.trim());
            } else {
                text.push('\n');
                text.push_str(line);
            }
        }
        list.push_str(&text);
        list.push('\n');
    }

    /// Returns the lines as one.
    fn joined(&self, lines: &[&str]) -> String {
        let mut paragraph = String::new();
        for line in lines {
            self.joiner.join(&mut paragraph, line.trim());
        }
        paragraph
    }
}
