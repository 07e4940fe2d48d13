//! Reads PDFs page by page.
//!
//! [`pages`] reads them with a library, and is the only function that does; [`Engine::Pdftotext`]
//! runs the program of that name instead. Everything that could not be read becomes a [`Loss`] with
//! its page and its cause.

mod bookmarks;
mod content;
mod headings;
mod layout;
mod library;
mod notes;
mod pdftotext;
mod scan;
mod spans;

pub use content::{Block, BlockKind, Bookmark, Content, Page};
pub use library::pages;
pub use pdftotext::Engine;

use headings::{Placed, headings};

use super::error::ParseError;
use super::joining::Joiner;
use super::outline::Outline;
use super::reading::{Progress, Task};
use crate::document::{Heading, Loss, LossKind};
use crate::normalize::normalize;

/// Reads a PDF.
pub(super) fn outline(bytes: &[u8], task: &Task<'_>) -> Result<Outline, ParseError> {
    let password = task.password();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut on_page = |done, of| (task.on_progress)(Progress { done: number(done), pages: number(of) });
    let content = match task.reading.pdf_engine {
        Engine::Pdfboss => pages(bytes, password, &mut on_page),
        Engine::Pdftotext => pdftotext::pages(bytes, password.is_some(), task.max_text, &mut on_page),
    }?;
    let mut outline = Outline::default();
    let joiner = Joiner::of_typeset(&content.pages.iter().map(Page::text).collect::<String>());
    let headings = headings(&content);
    for (page, headings) in content.pages.iter().zip(headings) {
        outline.page();
        add_page(page, &headings, &joiner, &mut outline);
    }
    for (name, value) in &content.metadata {
        outline.fact(name, value);
    }
    outline.losses = losses(content.pages, content.losses);
    // Pages of which nothing could be read are no pictures.
    let unread = outline.losses.iter().find(|loss| loss.kind != LossKind::LittleText);
    match unread.filter(|_| outline.text.trim().is_empty()) {
        Some(loss) => Err(ParseError::BrokenPdf(loss.to_string().into())),
        None => Ok(outline),
    }
}

/// Adds the blocks of a page, each as a paragraph, and the headings among them.
fn add_page(page: &Page, headings: &[Placed], joiner: &Joiner, outline: &mut Outline) {
    let mut headings = headings.iter().peekable();
    for (at, block) in page.blocks.iter().enumerate() {
        let mut done = 0;
        while let Some(heading) = headings.next_if(|heading| heading.block == at) {
            let end = heading.line + heading.lines;
            if heading.lines == 0 {
                unshown(heading, outline);
            } else {
                add(block.kind, &block.lines[done..heading.line.max(done)], joiner, outline);
                outline.heading(heading.level, &title(block, heading, joiner));
                done = end;
            }
        }
        add(block.kind, &block.lines[done..], joiner, outline);
    }
    headings.for_each(|heading| unshown(heading, outline));
}

/// Returns the title that the page shows. It may be laid out as a row of a table:
/// `1 | Introduction`.
fn title(block: &Block, heading: &Placed, joiner: &Joiner) -> String {
    let title = joined(&block.lines[heading.line..heading.line + heading.lines], joiner);
    if block.kind == BlockKind::Row { title.replace(" | ", " ") } else { title }
}

/// Adds lines of a block.
fn add(kind: BlockKind, lines: &[String], joiner: &Joiner, outline: &mut Outline) {
    match kind {
        BlockKind::Item | BlockKind::Row => outline.line(&joined(lines, joiner)),
        BlockKind::Note => outline.paragraph(&lines.join("\n")),
        BlockKind::Paragraph | BlockKind::Title => outline.paragraph(&joined(lines, joiner)),
    }
}

/// Adds a heading that the page does not show: the text below it is its section.
fn unshown(heading: &Placed, outline: &mut Outline) {
    let start = outline.begin();
    outline.headings.push(Heading { start, level: heading.level, title: normalize(&heading.title).into_owned() });
}

/// Returns all losses in the order of the pages, those of the whole document first.
fn losses(pages: Vec<Page>, of_document: Vec<(LossKind, String)>) -> Vec<Loss> {
    let of_pages = pages.into_iter().zip(1..).flat_map(|(page, number)| {
        page.losses.into_iter().map(move |(kind, cause)| Loss { page: Some(number), kind, cause })
    });
    let of_document = of_document.into_iter().map(|(kind, cause)| Loss { page: None, kind, cause });
    of_document.chain(of_pages).collect()
}

/// Joins lines that were broken to fit the page.
fn joined(lines: &[String], joiner: &Joiner) -> String {
    let mut text = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        joiner.join(&mut text, line.trim());
    }
    text
}
