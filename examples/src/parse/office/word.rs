//! Reads Word documents: headings, paragraphs, lists, tables, notes and comments.
//!
//! Text that the document hides or has deleted is left out, and so are headers and footers, which
//! repeat on every page.

use std::collections::HashMap;

use super::archive::Archive;
use super::numbering::Numbering;
use super::xml::{Element, Node, walk};
use super::{core_properties, relationships};
use crate::document::LossKind;
use crate::parse::error::ParseError;
use crate::parse::outline::{Outline, rows_text};

/// Reads a document.
pub(super) fn outline(mut archive: Archive<'_>) -> Result<Outline, ParseError> {
    let mut outline = Outline::default();
    core_properties(&mut archive, &mut outline);
    let main = relationships(&mut archive, "").into_iter().find(|(_, kind, _)| kind.ends_with("/officeDocument"));
    let main = main.map_or_else(|| "word/document.xml".to_owned(), |(_, _, part)| part);
    let body = archive.part(&main)?.ok_or_else(|| ParseError::Broken(format!("the part {main} is missing").into()))?;
    let related = relationships(&mut archive, &main);
    let mut part = |kind: &str| -> Result<Vec<u8>, ParseError> {
        let found = related.iter().find(|(_, of, _)| of.ends_with(kind));
        Ok(match found {
            Some((_, _, name)) => archive.part(name)?.unwrap_or_default(),
            None => Vec::new(),
        })
    };
    let mut reader = Reader {
        styles: styles(&part("/styles")?),
        numbering: Numbering::of(&part("/numbering")?),
        ..Reader::default()
    };
    let outcome = walk(&body, |node| reader.take(&node, &mut outline));
    reader.flush(&mut outline);
    if let Err(error) = outcome {
        outline.lose(LossKind::Stream, format!("the part {main} is damaged {error}"));
    }
    let notes = [("footnoteReference", notes(&part("/footnotes")?)), ("endnoteReference", notes(&part("/endnotes")?))];
    for ((kind, id), number) in reader.notes.iter().zip(1..) {
        let found = notes.iter().filter(|(of, _)| of == kind).flat_map(|(_, notes)| notes).find(|note| note.id == *id);
        if let Some(note) = found {
            outline.paragraph(&format!("[{number}] {}", note.text.trim()));
        }
    }
    for comment in self::notes(&part("/comments")?) {
        let author = if comment.author.is_empty() { String::new() } else { format!(" by {}", comment.author) };
        outline.paragraph(&format!("Comment{author}: {}", comment.text.trim()));
    }
    Ok(outline)
}

/// A style of paragraphs.
#[derive(Debug, Default, Clone)]
struct Style {
    /// The level of a heading, from 1.
    level: Option<u8>,
    list: Option<(String, usize)>,
    based_on: String,
}

/// Reads the styles by their ids. A style has what the one has that it is based on.
fn styles(part: &[u8]) -> HashMap<String, Style> {
    let mut styles: HashMap<String, Style> = HashMap::new();
    let mut id = String::new();
    let _ = walk(part, |node| {
        let Node::Open(element) = node else { return };
        let value = || element.attribute("val").unwrap_or_default().to_owned();
        if element.name == "style" {
            element.attribute("styleId").unwrap_or_default().clone_into(&mut id);
        }
        let style = styles.entry(id.clone()).or_default();
        match element.name.as_str() {
            "name" => style.level = style.level.or(heading_name(&value())),
            "outlineLvl" => style.level = outline_level(&value()),
            "basedOn" => style.based_on = value(),
            "numId" => style.list = Some((value(), style.list.take().map_or(0, |(_, level)| level))),
            "ilvl" => style.list = Some((style.list.take().unwrap_or_default().0, value().parse().unwrap_or(0))),
            _ => {}
        }
    });
    // As deep as styles reasonably go.
    for _ in 0..8 {
        let known = styles.clone();
        for style in styles.values_mut() {
            if let Some(base) = known.get(&style.based_on) {
                style.level = style.level.or(base.level);
                style.list = style.list.take().or_else(|| base.list.clone());
            }
        }
    }
    styles
}

/// Returns the level of a heading's style, by its name, which is English in every language.
fn heading_name(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("heading ") {
        Some(level) => level.parse().ok().filter(|level| (1..=9).contains(level)),
        None => (name == "title").then_some(1),
    }
}

/// Returns the level of a heading, counted from 1, of an outline level, which is counted from 0 and
/// is 9 for text.
fn outline_level(value: &str) -> Option<u8> {
    value.parse().ok().filter(|level| *level < 9).map(|level: u8| level + 1)
}

/// A paragraph while it is being read.
#[derive(Debug, Default)]
struct Paragraph {
    text: String,
    style: Style,
}

/// A table while it is being read.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<Vec<String>>,
    cell: String,
    /// The number of columns that the open cell spans.
    span: usize,
    /// `true` if the open cell belongs to the one above.
    goes_on: bool,
}

#[derive(Default)]
struct Reader {
    styles: HashMap<String, Style>,
    numbering: Numbering,
    /// The open paragraphs: one may be in a text box of another.
    paragraphs: Vec<Paragraph>,
    /// The open tables.
    tables: Vec<Table>,
    /// The lines of the open list.
    list: String,
    /// The number of open elements whose content is not shown.
    hidden: usize,
    is_text: bool,
    /// `true` in a run that the document hides.
    is_vanished: bool,
    /// The notes in the order of their marks: the kind of the mark, and the id.
    notes: Vec<(String, String)>,
}

impl Reader {
    fn take(&mut self, node: &Node<'_>, outline: &mut Outline) {
        match node {
            Node::Open(element) if is_hidden(&element.name) => self.hidden += 1,
            Node::Close(name) if is_hidden(name) => self.hidden = self.hidden.saturating_sub(1),
            _ if self.hidden > 0 => {}
            Node::Open(element) => self.open(element),
            Node::Text(text) if self.is_text && !self.is_vanished => self.push(text),
            Node::Text(_) => {}
            Node::Close(name) => self.close(name, outline),
        }
    }

    fn open(&mut self, element: &Element) {
        let value = element.attribute("val").unwrap_or_default();
        let is_off = matches!(value, "0" | "false" | "off");
        match element.name.as_str() {
            "p" => self.paragraphs.push(Paragraph::default()),
            "t" => self.is_text = true,
            "tab" if self.is_in_run(element) => self.push("\t"),
            "br" if element.attribute("type").is_none_or(|kind| kind == "textWrapping") => self.push("\n"),
            "cr" => self.push("\n"),
            "noBreakHyphen" => self.push("-"),
            "vanish" | "webHidden" if !is_off => self.is_vanished = true,
            "footnoteReference" | "endnoteReference" => {
                self.notes.push((element.name.clone(), element.attribute("id").unwrap_or_default().to_owned()));
                self.push(&format!("[{}]", self.notes.len()));
            }
            "tbl" => self.tables.push(Table::default()),
            _ => self.open_in_table(element, value),
        }
    }

    fn open_in_table(&mut self, element: &Element, value: &str) {
        match (element.name.as_str(), self.tables.last_mut(), self.paragraphs.last_mut()) {
            ("tr", Some(table), _) => table.rows.push(Vec::new()),
            ("tc", Some(table), _) => (table.span, table.goes_on) = (1, false),
            ("gridSpan", Some(table), _) => table.span = value.parse().unwrap_or(1).clamp(1, 32),
            ("vMerge", Some(table), _) => table.goes_on = value != "restart",
            ("pStyle", _, Some(paragraph)) => paragraph.style = self.styles.get(value).cloned().unwrap_or_default(),
            ("outlineLvl", _, Some(paragraph)) => paragraph.style.level = outline_level(value),
            ("numId", _, Some(paragraph)) => {
                let level = paragraph.style.list.take().map_or(0, |(_, level)| level);
                paragraph.style.list = Some((value.to_owned(), level));
            }
            ("ilvl", _, Some(paragraph)) => {
                let list = paragraph.style.list.take().unwrap_or_default().0;
                paragraph.style.list = Some((list, value.parse().unwrap_or(0)));
            }
            _ => {}
        }
    }

    /// Returns `true` unless the element defines a tab stop.
    fn is_in_run(&self, element: &Element) -> bool {
        element.attribute("pos").is_none() && !self.paragraphs.is_empty()
    }

    fn push(&mut self, text: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.text.push_str(text);
        }
    }

    fn close(&mut self, name: &str, outline: &mut Outline) {
        match name {
            "t" => self.is_text = false,
            // A paragraph's own mark may be hidden, too, which hides no text.
            "r" | "pPr" => self.is_vanished = false,
            "p" => self.close_paragraph(outline),
            "tc" => self.close_cell(),
            "tbl" => self.close_table(outline),
            _ => {}
        }
    }

    fn close_paragraph(&mut self, outline: &mut Outline) {
        let Some(Paragraph { text, style }) = self.paragraphs.pop() else { return };
        if text.trim().is_empty() {
            return;
        }
        if let Some(table) = self.tables.last_mut() {
            table.cell.push_str(&text);
            table.cell.push('\n');
        } else if let Some(level) = style.level {
            self.flush(outline);
            outline.heading(level.min(6), &text);
        } else if let Some(mark) = style.list.and_then(|(list, level)| self.numbering.mark(&list, level)) {
            let indent = format!("\n{}", " ".repeat(mark.len()));
            self.list.push_str(&mark);
            self.list.push_str(&text.trim().replace('\n', &indent));
            self.list.push('\n');
        } else {
            self.flush(outline);
            outline.paragraph(&text);
        }
    }

    fn close_cell(&mut self) {
        let Some(table) = self.tables.last_mut() else { return };
        let mut cell = std::mem::take(&mut table.cell);
        let column = table.rows.last().map_or(0, Vec::len);
        if table.goes_on && cell.trim().is_empty() {
            let above = table.rows.iter().rev().nth(1).and_then(|row| row.get(column));
            cell = above.filter(|above| above.len() <= 200).cloned().unwrap_or_default();
        }
        if let Some(row) = table.rows.last_mut() {
            row.push(cell.trim().to_owned());
            row.extend(std::iter::repeat_n(String::new(), table.span.saturating_sub(1)));
        }
    }

    fn close_table(&mut self, outline: &mut Outline) {
        let Some(table) = self.tables.pop() else { return };
        // A table in a cell is text of the cell.
        if let Some(outer) = self.tables.last_mut() {
            outer.cell.push_str(&rows_text(&table.rows));
            return;
        }
        self.flush(outline);
        outline.table(&table.rows);
    }

    /// Ends the open list.
    fn flush(&mut self, outline: &mut Outline) {
        outline.block(&std::mem::take(&mut self.list));
    }
}

/// Returns `true` for an element whose content is not shown: what was moved away, what is an
/// alternative to what is shown, and the codes of fields.
fn is_hidden(name: &str) -> bool {
    matches!(
        name,
        "moveFrom"
            | "del"
            | "Fallback"
            | "instrText"
            | "fldData"
            | "pPrChange"
            | "rPrChange"
            | "tblPrChange"
            | "tcPrChange"
    )
}

/// A footnote, an endnote, or a comment.
struct Note {
    id: String,
    author: String,
    text: String,
}

/// Reads the notes of a part. Those that only draw a line are passed over.
fn notes(part: &[u8]) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    let (mut is_open, mut is_text) = (false, false);
    let _ = walk(part, |node| match node {
        Node::Open(element) if matches!(&*element.name, "footnote" | "endnote" | "comment") => {
            is_open = element.attribute("type").is_none_or(|kind| kind == "normal");
            if is_open {
                let of = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
                notes.push(Note { id: of("id"), author: of("author"), text: String::new() });
            }
        }
        Node::Open(element) => is_text = element.name == "t",
        Node::Close("footnote" | "endnote" | "comment") => is_open = false,
        Node::Close("t") => is_text = false,
        Node::Text(_) | Node::Close(_) => {
            let more = match node {
                Node::Text(text) if is_text => text,
                Node::Close("p") => " ",
                _ => "",
            };
            if let Some(note) = notes.last_mut().filter(|_| is_open) {
                note.text.push_str(more);
            }
        }
    });
    notes
}
