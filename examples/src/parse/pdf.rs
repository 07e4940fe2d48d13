//! Reads PDFs page by page.
//!
//! [`pages`] is the only function that uses the PDF library. The library continues past damage and
//! reports what it skipped. Each report becomes a [`Loss`] of the page, so that a long document is
//! not lost to one bad drawing, and nothing goes missing silently.

use std::error::Error as _;

use pdfboss_core::{Document as File, Error, source::Immediate, source::block_on};
use pdfboss_output::{Block, Cell, Line, PageLayout, page_layout, retain_spans_on_page};
use pdfboss_text::{ExtractReport, FontCache, ReadingOrder, SkippedText, extract_spans_reporting_cached_with};

use super::error::ParseError;
use super::outline::Outline;
use super::quiet;
use super::reading::{Progress, Task};
use super::text::reflow;
use crate::document::{Loss, LossKind};

/// A page of a PDF.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Its text, line by line; paragraphs and the rows of tables are separated by a blank line.
    pub text: String,
    /// The parts of it that are missing from the text, each with its cause; empty for a page that
    /// was read whole.
    pub losses: Vec<(LossKind, String)>,
}

/// Reads the text of each page of a PDF, in the document's order.
///
/// A file that is encrypted without a password (many are, against printing) opens without one;
/// `password` may be the user's or the owner's.
///
/// # Errors
///
/// [`ParseError::EncryptedPdf`] if the password is missing or wrong, [`ParseError::BrokenPdf`] if
/// no page can be found, [`ParseError::Panicked`] if the library failed on the file as a whole.
pub fn pages(bytes: &[u8], password: Option<&str>) -> Result<Vec<Page>, ParseError> {
    pages_with(bytes, password, &|_| {})
}

/// Reads the text of each page, and tells its progress.
fn pages_with(bytes: &[u8], password: Option<&str>, on_progress: &dyn Fn(Progress)) -> Result<Vec<Page>, ParseError> {
    let file = quiet::catch(|| open(bytes, password))?;
    // Before the pages are counted: afterwards the library no longer says what the file declares.
    let declared = file.page_count();
    let found = quiet::catch(|| Ok(file.flattened_page_count()))?;
    if found == 0 {
        return Err(ParseError::BrokenPdf("it has no pages".into()));
    }
    let layers = quiet::catch(|| Ok(file.oc_state()))?;
    let fonts = FontCache::default();
    let read = |index| {
        let page = file.page(index).map_err(broken)?;
        // In the order of the content, which a typeset document is written in.
        let (source, order) = (Immediate(&file), ReadingOrder::Content);
        let spans = extract_spans_reporting_cached_with(source, &page, &fonts, layers.as_ref(), None, order);
        let (mut spans, report) = block_on(spans).map_err(broken)?;
        retain_spans_on_page(&mut spans, &page);
        Ok((text(&page_layout(&spans, report.order)), report))
    };
    let count = u32::try_from(found).unwrap_or(u32::MAX);
    let mut pages: Vec<Page> = (0..found)
        .zip(1..)
        .inspect(|(_, number)| on_progress(Progress { done: number - 1, pages: count }))
        .map(|(index, _)| match quiet::catch(|| read(index)) {
            Ok((text, report)) => Page { text, losses: losses(&report) },
            Err(error) => Page {
                text: String::new(),
                losses: vec![(LossKind::Page, format!("it could not be read: {}", cause(&error)))],
            },
        })
        .collect();
    if let Some(last) = pages.last_mut()
        && declared > found
    {
        let cause = format!("the file says that it has {declared} pages, of which {found} were found");
        last.losses.push((LossKind::Page, cause));
    }
    Ok(pages)
}

fn open(bytes: &[u8], password: Option<&str>) -> Result<File, ParseError> {
    File::load_with_password(bytes.to_vec(), password.unwrap_or_default()).map_err(|error| match error {
        Error::Encrypted => ParseError::EncryptedPdf,
        error => broken(error),
    })
}

fn broken(error: Error) -> ParseError {
    ParseError::BrokenPdf(Box::new(error))
}

/// Reads a PDF.
pub(super) fn outline(bytes: &[u8], task: &Task<'_>) -> Result<Outline, ParseError> {
    let mut outline = Outline::default();
    for (page, number) in pages_with(bytes, task.password(), task.on_progress)?.into_iter().zip(1..) {
        outline.page();
        reflow(&page.text, &mut outline);
        let losses = page.losses.into_iter();
        outline.losses.extend(losses.map(|(kind, cause)| Loss { page: Some(number), kind, cause }));
    }
    // Pages of which nothing could be read are no pictures.
    match outline.losses.first() {
        Some(loss) if outline.text.trim().is_empty() => Err(ParseError::BrokenPdf(loss.to_string().into())),
        _ => Ok(outline),
    }
}

/// Returns the text of a page's blocks, without control characters, to which some fonts map a glyph
/// by mistake.
fn text(page: &PageLayout) -> String {
    let mut text = String::new();
    for block in &page.blocks {
        match block {
            Block::Heading { lines, .. } | Block::Paragraph { lines, .. } => push(&mut text, lines, "\n"),
            Block::List { items, .. } => {
                for item in items {
                    push(&mut text, &item.lines, "\n");
                }
            }
            Block::Table { rows, .. } => {
                let cells = |row: &Vec<Cell>| row.iter().filter_map(|cell| cell.line.clone()).collect::<Vec<_>>();
                for row in rows {
                    push(&mut text, &cells(row), " | ");
                }
            }
        }
    }
    text.chars().filter(|character| !character.is_control() || matches!(character, '\n' | '\t')).collect()
}

/// Adds the lines and ends the paragraph that they are.
fn push(text: &mut String, lines: &[Line], separator: &str) {
    for (at, line) in lines.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { separator });
        text.extend(line.inlines.iter().map(|inline| inline.text.as_str()));
    }
    text.push_str("\n\n");
}

/// Returns the causes of a report, each once: a page may draw the same broken form a thousand
/// times.
fn losses(report: &ExtractReport) -> Vec<(LossKind, String)> {
    let mut losses = Vec::new();
    for SkippedText { kind, cause } in &report.skipped {
        let loss = (LossKind::Stream, format!("{kind} could not be read: {cause}"));
        if !losses.contains(&loss) {
            losses.push(loss);
        }
    }
    losses
}

/// Returns what the library said, without the advice for a whole file that is damaged.
fn cause(error: &ParseError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
