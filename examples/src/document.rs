//! A document that was read from a file: its text, and where headings and pages begin in it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(unix)]
use percent_encoding::percent_decode_str;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use ragtrace::uuid::Uuid;
use serde::{Deserialize, Serialize};

use crate::parse::Room;

/// A format of documents. [`format`](crate::format) tells which one a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Format {
    /// `CommonMark` with tables and footnotes.
    Markdown,
    /// Plain text in any encoding that can be recognized.
    Text,
    /// A web page, also in XHTML.
    Html,
    /// A PDF that contains text.
    Pdf,
    /// A table of values, separated by commas, semicolons or tabs.
    Csv,
    /// A page of reStructuredText.
    Rst,
    /// A Word document. Its reader, and those of the formats below, is the feature `office`.
    Docx,
    /// A `PowerPoint` presentation.
    Pptx,
    /// A workbook of Excel or `OpenDocument`.
    Spreadsheet,
    /// A book in the format EPUB.
    Epub,
}

impl Format {
    /// Returns the format's short name, as in the database and the stage logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Text => "text",
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::Rst => "rst",
            Self::Docx => "docx",
            Self::Pptx => "pptx",
            Self::Spreadsheet => "spreadsheet",
            Self::Epub => "epub",
        }
    }
}

/// A heading, and where the text of its section begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// The byte offset in [`Document::text`] of the heading's own line.
    pub start: usize,
    /// The level: 1 for a title, 6 for the deepest.
    pub level: u8,
    /// The text of the heading.
    pub title: String,
}

/// A part of the text under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The byte range in [`Document::text`], including the heading's line.
    pub range: Range<usize>,
    /// The headings above this section and its own, outermost first.
    pub path: Vec<String>,
}

/// A document that was read from a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Document {
    /// The path that it was read from. The same file has the same path however it was named.
    #[serde(with = "crate::source::any_path")]
    pub path: PathBuf,
    /// The last component of the path.
    pub name: String,
    /// The format of the file.
    pub format: Format,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The whole text. Paragraphs are separated by a blank line.
    pub text: String,
    /// The headings in the order of the text.
    pub headings: Vec<Heading>,
    /// The byte offsets in the text at which pages begin; empty for a format without pages.
    pub page_starts: Vec<usize>,
    /// Facts about the document that its file states beside the text, such as `title` and
    /// `author`, by their names and in their order.
    pub metadata: Vec<(String, String)>,
    /// The parts that could not be read, in the order of the pages.
    pub losses: Vec<Loss>,
    /// The memory that is set aside for the document and its chunks.
    #[serde(skip)]
    pub room: Option<Arc<Room>>,
}

/// A part of a document that could not be read, or looks as if it was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The page's number, counted from 1, or `None` if the format has no pages or the loss concerns
    /// the whole document.
    pub page: Option<u32>,
    /// The kind of loss, for counting.
    pub kind: LossKind,
    /// The part that is missing from the text, and the reason.
    pub cause: String,
}

/// A kind of loss, by which the losses of many documents are summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LossKind {
    /// A whole page could not be read.
    Page,
    /// A font does not tell which characters its glyphs are.
    Font,
    /// A stream of a page, a drawing or an embedded part could not be read.
    Stream,
    /// Bytes are not text in the file's encoding.
    Bytes,
    /// Cells of a table could not be read.
    Cells,
    /// Metadata, such as a front matter, could not be read.
    Metadata,
    /// A page has suspiciously little text for its content: it may be a scan.
    LittleText,
    /// A chunk is longer than the embedding model takes, and its vector is that of a part.
    LongChunk,
}

impl LossKind {
    /// Returns the kind's name, as in the stage logs and the last line of an ingestion.
    pub fn name(self) -> &'static str {
        match self {
            Self::Page => "unreadable pages",
            Self::Font => "unreadable fonts",
            Self::Stream => "unreadable streams",
            Self::Bytes => "undecodable bytes",
            Self::Cells => "unreadable cells",
            Self::Metadata => "unreadable metadata",
            Self::LittleText => "pages with little text",
            Self::LongChunk => "chunks cut for the model",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(page) = self.page {
            write!(f, "page {page}: ")?;
        }
        f.write_str(&self.cause)
    }
}

/// Returns the numbers of the pages with losses, each once.
pub fn lossy_pages(losses: &[Loss]) -> Vec<u32> {
    let mut pages: Vec<u32> = losses.iter().filter_map(|loss| loss.page).collect();
    pages.dedup();
    pages
}

/// Returns `path` as a text that belongs to no other path: a path in Unicode as it is, and any
/// other one as a `file:` URL (RFC 8089) with its bytes percent-encoded. The path of a document is
/// absolute, so it cannot look like a URL itself.
pub fn path_text(path: &Path) -> Cow<'_, str> {
    /// All but the unreserved characters of a URL (RFC 3986, section 2.3) and the slash.
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    if let Some(text) = path.to_str() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("file://{}", percent_encode(path.as_os_str().as_encoded_bytes(), ENCODED)))
}

/// Returns the path that [`path_text`] has written.
pub fn text_path(text: &str) -> PathBuf {
    #[cfg(unix)]
    if let Some(encoded) = text.strip_prefix("file://") {
        use std::os::unix::ffi::OsStringExt as _;

        return PathBuf::from(std::ffi::OsString::from_vec(percent_decode_str(encoded).collect()));
    }
    PathBuf::from(text)
}

/// Returns the id of the document at a path, which is the same whenever it is ingested. Ids are
/// never redacted, and a path may contain a secret, so the id is a hash that does not show the
/// path.
pub fn document_id(path: &str) -> String {
    /// The namespace of documents that are known by their path.
    const NAMESPACE: Uuid = Uuid::from_u128(0x8d1f_3c52_6a40_4b7e_9c11_5e2d_70a4_b9f6);
    Uuid::new_v5(&NAMESPACE, path.as_bytes()).to_string()
}

impl Document {
    /// Creates a document of plain `text` at `path`, without headings and pages.
    pub fn plain(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        Self {
            name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            format: Format::of(&path).unwrap_or(Format::Text),
            bytes: text.len() as u64,
            text,
            headings: Vec::new(),
            page_starts: Vec::new(),
            metadata: Vec::new(),
            losses: Vec::new(),
            room: None,
            path,
        }
    }

    /// Returns the id of the document in the items of stages: see [`document_id`].
    pub fn id(&self) -> String {
        document_id(&path_text(&self.path))
    }

    /// Returns the number of pages. A format without pages has one.
    pub fn pages(&self) -> usize {
        self.page_starts.len().max(1)
    }

    /// Returns the length of the text in characters (Unicode scalar values).
    pub fn chars(&self) -> usize {
        self.text.chars().count()
    }

    /// Returns the size in bytes of the text and of the facts about it.
    pub(crate) fn size(&self) -> u64 {
        let headings = self.headings.iter().map(|heading| size_of::<Heading>() + heading.title.len());
        let metadata =
            self.metadata.iter().map(|(name, value)| size_of::<(String, String)>() + name.len() + value.len());
        let losses = self.losses.iter().map(|loss| size_of::<Loss>() + loss.cause.len());
        let facts = headings.chain(metadata).chain(losses).sum::<usize>() + size_of_val(&self.page_starts[..]);
        (self.text.len() + facts) as u64
    }

    /// Returns `true` if headings and pages begin inside the text, in order and between characters,
    /// as the methods here assume.
    pub(crate) fn is_sound(&self) -> bool {
        let headings: Vec<usize> = self.headings.iter().map(|heading| heading.start).collect();
        let are_sound =
            |starts: &[usize]| starts.is_sorted() && starts.iter().all(|at| self.text.is_char_boundary(*at));
        are_sound(&headings) && are_sound(&self.page_starts)
    }

    /// Returns the page that contains the byte at `offset`, counted from 1, or `None` for a format
    /// without pages.
    pub fn page_at(&self, offset: usize) -> Option<u32> {
        let page = self.page_starts.partition_point(|start| *start <= offset);
        u32::try_from(page).ok().filter(|page| *page > 0)
    }

    /// Returns the text cut at its headings, without gaps. A heading with nothing below it joins
    /// the section that follows, so that no section is only a title.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::with_capacity(self.headings.len() + 1);
        let mut path: Vec<(u8, String)> = Vec::new();
        let mut start = 0;
        let mut bare = true;
        let ends = self.headings.iter().skip(1).map(|heading| heading.start);
        if let Some(first) = self.headings.first()
            && !self.text[..first.start].trim().is_empty()
        {
            sections.push(Section { range: 0..first.start, path: Vec::new() });
            start = first.start;
        }
        for (heading, end) in self.headings.iter().zip(ends.chain([self.text.len()])) {
            path.retain(|(level, _)| *level < heading.level);
            path.push((heading.level, heading.title.clone()));
            let body = &self.text[heading.start..end];
            bare &= body.trim() == heading.title.trim();
            if bare && end != self.text.len() {
                continue;
            }
            let titles = path.iter().map(|(_, title)| title.clone()).collect();
            sections.push(Section { range: start..end, path: titles });
            start = end;
            bare = true;
        }
        if start < self.text.len() {
            sections.push(Section { range: start..self.text.len(), path: Vec::new() });
        }
        sections
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str, headings: &[(u8, &str)]) -> Document {
        let headings = headings
            .iter()
            .map(|(level, title)| Heading {
                start: text.find(title).expect("the heading is in the text"),
                level: *level,
                title: (*title).to_owned(),
            })
            .collect();
        Document { headings, ..Document::plain("a.md", text) }
    }

    #[test]
    fn sections_carry_the_headings_above_them() {
        let text = "Before.\n\nGuide\n\nSetup\n\nPlug it in.\n\nCare\n\nWipe it.";
        let document = document(text, &[(1, "Guide"), (2, "Setup"), (2, "Care")]);
        let sections = document.sections();
        let paths: Vec<String> = sections.iter().map(|section| section.path.join(" > ")).collect();
        assert_eq!(paths, ["", "Guide > Setup", "Guide > Care"]);
        assert!(text[sections[1].range.clone()].starts_with("Guide"));
    }

    #[test]
    fn sections_leave_no_gap() {
        let text = "One\n\nTwo\n\nThree\n\nEnd.";
        for count in 0..3 {
            let document = document(text, &[(1, "One"), (2, "Two"), (1, "Three")][..count]);
            let mut end = 0;
            for section in document.sections() {
                assert_eq!(section.range.start, end);
                end = section.range.end;
            }
            assert_eq!(end, text.len());
        }
    }

    #[test]
    fn pages_are_counted_from_one() {
        let mut document = document("first second", &[]);
        assert_eq!(document.page_at(3), None);
        document.page_starts = vec![0, 6];
        assert_eq!((document.page_at(0), document.page_at(6)), (Some(1), Some(2)));
    }

    #[cfg(unix)]
    #[test]
    fn two_names_that_are_not_unicode_are_two_documents() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        let document = |name: &[u8]| Document::plain(Path::new(OsStr::from_bytes(name)), "text");
        assert_ne!(document(b"/bad\xff.txt").id(), document(b"/bad\xfe.txt").id());
        assert_eq!(path_text(&document(b"/a b\xff.txt").path), "file:///a%20b%FF.txt");
        assert_eq!(path_text(Path::new("/bad\u{fffd}%FF.txt")), "/bad\u{fffd}%FF.txt");
        for name in [&b"/a b\xff.txt"[..], b"/\xff%25\xfe", "/bad\u{fffd}%FF.txt".as_bytes()] {
            let path = document(name).path;
            assert_eq!(text_path(&path_text(&path)), path);
        }
    }

    #[test]
    fn places_outside_of_the_text_are_no_sound_document() {
        let document =
            |page_starts: &[usize]| Document { page_starts: page_starts.to_vec(), ..document("né né", &[]) };
        assert!(document(&[0, 3, 3, 7]).is_sound());
        for starts in [&[0, 8][..], &[3, 0], &[2]] {
            assert!(!document(starts).is_sound(), "{starts:?}");
        }
    }
}
