//! Reads PDFs with the `pdfboss` crates. [`pages`] is their only caller.
//!
//! The library continues past damage and reports what it skipped. Each report becomes a loss of the
//! page, so that a long document is not lost to one bad drawing, and nothing goes missing silently.

use std::collections::HashMap;
use std::error::Error as _;

use pdfboss_core::source::{Immediate, block_on};
use pdfboss_core::{Date, Document as File, Error, Metadata, ObjRef, OcState, Page as FilePage};
use pdfboss_output::{page_layout, retain_spans_on_page};
use pdfboss_text::{
    ExtractReport, FontCache, ReadingOrder, SkipCause, SkippedText, SkippedTextKind,
    extract_spans_reporting_cached_with,
};

use super::bookmarks::bookmarks;
use super::content::{Content, Page};
use super::layout::blocks;
use super::notes::{Fields, notes};
use super::scan::little_text;
use super::spans;
use crate::document::LossKind;
use crate::parse::error::ParseError;
use crate::parse::quiet;

/// Reads the content of a PDF, and tells `on_page` the number of pages that have been read, and of
/// all pages, before each page.
///
/// A file that is encrypted without a password (many are, against printing) opens without one;
/// `password` may be the user's or the owner's.
///
/// # Errors
///
/// [`ParseError::EncryptedPdf`] if the password is missing, [`ParseError::WrongPassword`] if it is
/// wrong, [`ParseError::BrokenPdf`] if no page can be found, [`ParseError::Panicked`] if the
/// library failed on the file as a whole.
pub fn pages(
    bytes: &[u8],
    password: Option<&str>,
    on_page: &mut dyn FnMut(usize, usize),
) -> Result<Content, ParseError> {
    let Opened { file, declared, found } = open(bytes, password)?;
    let mut content = Content::default();
    let mut reader = Reader::new(&file, &mut content.losses);
    let mut numbers = HashMap::new();
    for index in 0..found {
        on_page(index, found);
        content.pages.push(match quiet::catch(|| reader.page(index)) {
            Ok((page, object)) => {
                numbers.extend(object.map(|object| (object, index)));
                page
            }
            Err(error) => lost(format!("it could not be read: {}", cause(&error))),
        });
    }
    if let Some(last) = content.pages.last_mut() {
        last.blocks.extend(reader.fields.rest());
    }
    if declared > found {
        let cause = format!("the file says that it has {declared} pages, of which {found} were found");
        content.losses.push((LossKind::Page, cause));
    }
    content.bookmarks = part("the bookmarks", &mut content.losses, || bookmarks(&file, &numbers));
    content.metadata = part("the document information", &mut content.losses, || metadata(file.metadata()));
    let unread = part("the attachments and the form", &mut content.losses, || unread(&file));
    content.losses.extend(unread);
    Ok(content)
}

/// A file with the number of pages that it declares, and of those that were found.
struct Opened {
    file: File,
    declared: usize,
    found: usize,
}

/// Opens a file. If it has fewer pages than it says, its table of objects may be wrong: it is
/// opened once more without the table, so that the library searches the file for objects.
fn open(bytes: &[u8], password: Option<&str>) -> Result<Opened, ParseError> {
    let opened = quiet::catch(|| load(bytes.to_vec(), password).map(count));
    let found = match &opened {
        Ok(opened) if opened.found < opened.declared.max(1) => opened.found,
        Err(ParseError::BrokenPdf(_) | ParseError::Panicked(_)) => 0,
        _ => return opened,
    };
    let searched = quiet::catch(|| load(without_table(bytes), password).map(count));
    let opened = searched.ok().filter(|searched| searched.found > found).map_or(opened, Ok)?;
    if opened.found == 0 { Err(ParseError::BrokenPdf("it has no pages".into())) } else { Ok(opened) }
}

fn count(file: File) -> Opened {
    // Before the pages are found: afterwards the library no longer says what the file declares.
    let declared = file.page_count();
    let found = file.flattened_page_count();
    Opened { file, declared, found }
}

/// Returns the file without the keywords that lead to its tables of objects, everything else in its
/// place.
fn without_table(bytes: &[u8]) -> Vec<u8> {
    const KEYWORD: &[u8] = b"startxref";
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(KEYWORD.len()) {
        if bytes[at..].starts_with(KEYWORD) {
            bytes[at..at + KEYWORD.len()].fill(b' ');
        }
    }
    bytes
}

/// Loads a file. An encrypted one may need no password where one is given for others.
fn load(bytes: Vec<u8>, password: Option<&str>) -> Result<File, ParseError> {
    let locked = |error: &Error| matches!(error, Error::Encrypted);
    let file = match password {
        None => File::load(bytes),
        Some(password) => match File::load_with_password(bytes.clone(), password) {
            Err(error) if locked(&error) => match File::load(bytes) {
                Err(error) if locked(&error) => return Err(ParseError::WrongPassword),
                other => other,
            },
            other => other,
        },
    };
    file.map_err(|error| if locked(&error) { ParseError::EncryptedPdf } else { broken(error) })
}

fn broken(error: Error) -> ParseError {
    ParseError::BrokenPdf(Box::new(error))
}

/// The parts of a file that all of its pages share.
struct Reader<'a> {
    file: &'a File,
    fonts: FontCache,
    layers: Option<OcState>,
    fields: Fields,
}

impl<'a> Reader<'a> {
    fn new(file: &'a File, losses: &mut Vec<(LossKind, String)>) -> Self {
        let layers = part("the layers", losses, || file.oc_state());
        Self { file, fonts: FontCache::default(), layers, fields: part("the form", losses, || Fields::of(file)) }
    }

    /// Reads a page. Returns its object too, by which bookmarks know it.
    fn page(&mut self, index: usize) -> Result<(Page, Option<ObjRef>), ParseError> {
        let laid = self.file.page(index).map_err(broken)?;
        let mut page = self.text(&laid)?;
        page.losses.extend(little_text(self.file, &laid, &self.fonts, page.letters()));
        let notes = notes(self.file, &laid, &mut self.fields, &|| page.text());
        page.blocks.extend(notes);
        Ok((page, laid.object_ref()))
    }

    fn text(&self, page: &FilePage) -> Result<Page, ParseError> {
        // In the order of the content, which a typeset document is written in.
        let (source, order) = (Immediate(self.file), ReadingOrder::Content);
        let spans = extract_spans_reporting_cached_with(source, page, &self.fonts, self.layers.as_ref(), None, order);
        let (mut spans, report) = block_on(spans).map_err(broken)?;
        retain_spans_on_page(&mut spans, page);
        let mut losses = skipped(&report);
        losses.extend(spans::clean(&mut spans));
        spans::separate_words(&mut spans, &|| page.content(self.file).unwrap_or_default());
        Ok(Page { blocks: blocks(&page_layout(&spans, report.order)), losses })
    }
}

/// Returns the causes of a report, each once: a page may draw the same broken form a thousand
/// times.
fn skipped(report: &ExtractReport) -> Vec<(LossKind, String)> {
    let mut losses = Vec::new();
    for SkippedText { kind, cause } in &report.skipped {
        let loss = match (kind, cause) {
            (SkippedTextKind::FontEncoding, _) => {
                (LossKind::Font, "the encoding of a font is unknown, so its text is a guess or missing".to_owned())
            }
            (kind, SkipCause::LimitExceeded) => (
                LossKind::Stream,
                format!("{kind} was left out: the page draws more forms in each other than are read"),
            ),
            (kind, cause) => (LossKind::Stream, format!("{kind} could not be read: {cause}")),
        };
        if !losses.contains(&loss) {
            losses.push(loss);
        }
    }
    losses
}

fn lost(cause: String) -> Page {
    Page { blocks: Vec::new(), losses: vec![(LossKind::Page, cause)] }
}

/// Reads a part of the file beside its pages. A failure costs that part only.
fn part<T: Default>(name: &str, losses: &mut Vec<(LossKind, String)>, read: impl FnOnce() -> T) -> T {
    quiet::catch(|| Ok(read())).unwrap_or_else(|error| {
        losses.push((LossKind::Metadata, format!("{name} could not be read: {}", cause(&error))));
        T::default()
    })
}

/// Returns the document information, with dates as in ISO 8601 if they can be read, else as the
/// file writes them.
fn metadata(information: Metadata) -> Vec<(String, String)> {
    let created = information.creation_date_parsed().map(Date::to_iso8601);
    let modified = information.mod_date_parsed().map(Date::to_iso8601);
    let entries = [
        ("title", information.title),
        ("author", information.author),
        ("subject", information.subject),
        ("keywords", information.keywords),
        ("creator", information.creator),
        ("producer", information.producer),
        ("created", created.or(information.creation_date)),
        ("modified", modified.or(information.mod_date)),
    ];
    let shown = |value: String| value.replace(char::is_control, " ").trim().to_owned();
    let entries = entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), shown(value?))));
    entries.filter(|(_, value)| !value.is_empty()).collect()
}

/// Returns the parts that are not read: attached files, and a form that is not in the PDF's own
/// format.
fn unread(file: &File) -> Vec<(LossKind, String)> {
    /// The attachments that are named.
    const NAMED: usize = 5;
    let attachments = file.embedded_files();
    let mut losses = Vec::new();
    if !attachments.is_empty() {
        let names: Vec<&str> = attachments.iter().take(NAMED).map(|attachment| attachment.name.as_str()).collect();
        let more =
            attachments.len().checked_sub(NAMED + 1).map_or(String::new(), |more| format!(" and {} more", more + 1));
        losses.push((LossKind::Stream, format!("attached files are not read: {}{more}", names.join(", "))));
    }
    if file.interactive_form().is_some_and(|form| form.xfa) {
        losses.push((LossKind::Stream, "its form is written in XFA too, which is not read".to_owned()));
    }
    losses
}

/// Returns what the library said, without the advice for a whole file that is damaged.
fn cause(error: &ParseError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
