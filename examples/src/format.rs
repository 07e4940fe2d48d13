//! Recognizes the format of a file: by its content first, and then by its name.
//!
//! Formats with a mark at their beginning are recognized by it, whatever the name says. Text has
//! none, so the name decides which format of text it is; text of an unknown name is plain text.

mod media;

use std::fmt;
use std::path::Path;

pub use media::media_type;

use crate::document::Format;

/// The number of bytes at the beginning of a file that are enough to recognize most formats.
pub const HEAD: usize = 8 << 10;

/// The end of the range in which a PDF's header may begin (ISO 32000-1, implementation note 13 of
/// Adobe's readers).
const PDF_HEADER: usize = 1024;

/// The content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A document of this format.
    Document(Format),
    /// A file that is compressed by gzip (RFC 1952). Its name without `.gz` is the name of what is
    /// in it.
    Gzip,
    /// A ZIP archive that is no document, as far as the bytes tell.
    Zip,
    /// Something that is no document, as a media type.
    Other(&'static str),
}

/// Determines the content of a file from its first bytes, [`HEAD`] or more, and its name.
pub fn recognize(bytes: &[u8], name: &Path) -> Content {
    let named = by_name(name).ok();
    if bytes[..bytes.len().min(PDF_HEADER)].windows(5).any(|window| window == b"%PDF-") {
        return Content::Document(Format::Pdf);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return in_zip(bytes).or(named.filter(|format| format.is_zip())).map_or(Content::Zip, Content::Document);
    }
    match (media_type(bytes), named) {
        (Some("application/gzip"), _) => Content::Gzip,
        // Word, Excel and PowerPoint before 2007 have one mark.
        (Some("application/x-ole-storage"), Some(Format::Spreadsheet)) => Content::Document(Format::Spreadsheet),
        (Some(media_type @ ("application/rtf" | "application/postscript")), _) => Content::Other(media_type),
        // Some marks are words: a text may begin with "BM" without being a picture.
        (Some(media_type), _) if !is_text(bytes) => Content::Other(media_type),
        // A Markdown page may begin with a tag.
        (_, None | Some(Format::Text | Format::Pdf)) if is_html(bytes) => Content::Document(Format::Html),
        // A PDF without its header is damaged, which the reader reports.
        (_, Some(format)) => Content::Document(format),
        (_, None) => Content::Document(Format::Text),
    }
}

/// Returns the format that the extension of `name` stands for, in any case. An extension `.gz` is
/// passed over.
///
/// # Errors
///
/// [`NoReader`] if there is no reader for the extension.
pub fn by_name(name: &Path) -> Result<Format, NoReader> {
    let lower = name.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let lower = without_gz(&lower);
    let extension = Path::new(lower).extension().unwrap_or_default().to_string_lossy();
    FORMATS
        .iter()
        .find(|(_, extensions)| extensions.contains(&&*extension))
        .map(|(format, _)| *format)
        .ok_or_else(|| NoReader(extension.into_owned()))
}

/// Returns the name of what is in a file that is compressed by gzip.
pub(crate) fn without_gz(name: &str) -> &str {
    let is_gz = |end: &str| end.eq_ignore_ascii_case(".gz");
    match name.len().checked_sub(3).and_then(|at| name.split_at_checked(at)) {
        Some((stem, end)) if is_gz(end) && !stem.is_empty() => stem,
        _ => name,
    }
}

/// The reason why a file is not a document by its name: no reader knows its extension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoReader(String);

impl fmt::Display for NoReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_str() {
            "" => f.write_str("no extension"),
            extension => write!(f, "no reader for .{extension}"),
        }
    }
}

impl std::error::Error for NoReader {}

/// The formats with their extensions, the usual one first.
const FORMATS: [(Format, &[&str]); 10] = [
    (Format::Markdown, &["md", "markdown", "mdown", "mkd", "mkdn"]),
    (Format::Text, &["txt", "text"]),
    (Format::Html, &["html", "htm", "xhtml", "xht"]),
    (Format::Pdf, &["pdf"]),
    (Format::Csv, &["csv", "tsv", "tab"]),
    (Format::Rst, &["rst", "rest"]),
    (Format::Docx, &["docx", "docm", "dotx"]),
    (Format::Pptx, &["pptx", "pptm", "ppsx"]),
    (Format::Spreadsheet, &["xlsx", "xlsm", "xlsb", "xls", "ods"]),
    (Format::Epub, &["epub"]),
];

/// Returns the extensions of the formats that can be read, each with its dot, the usual one of
/// each.
pub fn readable_extensions() -> Vec<String> {
    FORMATS
        .iter()
        .filter(|(format, _)| format.missing_feature().is_none())
        .map(|(_, extensions)| format!(".{}", extensions[0]))
        .collect()
}

impl Format {
    /// Returns the format of the extension of `path`, in any case, or `None` for every other
    /// extension.
    pub fn of(path: &Path) -> Option<Self> {
        by_name(path).ok()
    }

    /// Returns the feature of this package that the reader of the format is missing, or `None` if
    /// it can be read.
    pub fn missing_feature(self) -> Option<&'static str> {
        (self.is_office() && cfg!(not(feature = "office"))).then_some("office")
    }

    /// Returns `true` for the formats of office programs and readers, which are archives or binary.
    pub fn is_office(self) -> bool {
        matches!(self, Self::Docx | Self::Pptx | Self::Spreadsheet | Self::Epub)
    }

    /// Returns `true` for a format that is a ZIP archive, or may be one.
    fn is_zip(self) -> bool {
        self.is_office()
    }

    /// Returns the name of a document of this format for a person, with its article.
    pub fn description(self) -> &'static str {
        match self {
            Self::Markdown => "a Markdown page",
            Self::Text => "a plain text",
            Self::Html => "a web page",
            Self::Pdf => "a PDF",
            Self::Csv => "a table of separated values",
            Self::Rst => "a reStructuredText page",
            Self::Docx => "a Word document",
            Self::Pptx => "a PowerPoint presentation",
            Self::Spreadsheet => "a spreadsheet",
            Self::Epub => "an EPUB book",
        }
    }
}

/// Returns the format of a document that is a ZIP archive, by the names of its parts, of which the
/// first ones are in the first bytes and all of them in the last.
fn in_zip(bytes: &[u8]) -> Option<Format> {
    // OpenDocument and EPUB begin with an uncompressed part that names the media type.
    let head = &bytes[..bytes.len().min(HEAD)];
    let has = |part: &[u8], name: &[u8]| part.windows(name.len()).any(|window| window == name);
    if has(&head[..head.len().min(128)], b"mimetypeapplication/epub+zip") {
        return Some(Format::Epub);
    }
    if has(&head[..head.len().min(128)], b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet") {
        return Some(Format::Spreadsheet);
    }
    let tail = &bytes[bytes.len().saturating_sub(64 << 10)..];
    let parts: [(&[u8], Format); 5] = [
        (b"word/document.xml", Format::Docx),
        (b"ppt/presentation.xml", Format::Pptx),
        (b"xl/workbook.", Format::Spreadsheet),
        (b"META-INF/container.xml", Format::Epub),
        (b"word/", Format::Docx),
    ];
    parts.iter().find(|(name, _)| has(head, name) || has(tail, name)).map(|(_, format)| *format)
}

/// Returns `true` if the text begins as only a web page does, perhaps after an XML declaration.
fn is_html(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]).to_ascii_lowercase();
    let mut rest = head.trim_start_matches('\u{feff}').trim_start();
    while let Some(after) = rest
        .strip_prefix("<?")
        .and_then(|rest| rest.split_once("?>"))
        .or_else(|| rest.strip_prefix("<!--").and_then(|rest| rest.split_once("-->")))
    {
        rest = after.1.trim_start();
    }
    ["<!doctype html", "<html>", "<html ", "<html\n", "<head>", "<body>"].iter().any(|start| rest.starts_with(start))
}

/// Returns `true` if the head contains only bytes that occur in text.
fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    head.iter().all(|byte| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r' | 0x08 | 0x0c | 0x1b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_what_a_file_is_whatever_its_name() {
        let late = [&[b'x'; 1_000][..], b"%PDF-1.7"].concat();
        let too_late = [&[b'x'; 1_024][..], b"%PDF-1.7"].concat();
        let cases: [(&[u8], &str, Content); 21] = [
            (b"%PDF-1.7\n", "report.txt", Content::Document(Format::Pdf)),
            (&late, "report", Content::Document(Format::Pdf)),
            (&too_late, "report", Content::Document(Format::Text)),
            (b"no header", "report.pdf", Content::Document(Format::Pdf)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "report.pdf", Content::Other("image/png")),
            (b"PK\x03\x04\x14\0\0\0\x08\0", "report.md", Content::Zip),
            (b"PK\x03\x04\x14\0\0\0\x08\0word/document.xml", "report.pdf", Content::Document(Format::Docx)),
            (b"PK\x03\x04\x14\0mimetypeapplication/epub+zip", "book.txt", Content::Document(Format::Epub)),
            (b"PK\x03\x04\x14\0\0\0\x08\0", "book.xlsx", Content::Document(Format::Spreadsheet)),
            (b"\x1f\x8b\x08\0", "notes.txt", Content::Gzip),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old.pdf", Content::Other("application/x-ole-storage")),
            (b"<!DOCTYPE html><p>Hello", "page", Content::Document(Format::Html)),
            (b"<!DOCTYPE html><p>Hello", "page.txt", Content::Document(Format::Html)),
            (b"<?xml version=\"1.0\"?>\n<!-- a page --><html xmlns=\"x\">", "page", Content::Document(Format::Html)),
            (b"<p align=center>Hello", "readme.md", Content::Document(Format::Markdown)),
            (b"BMW builds cars.", "cars.txt", Content::Document(Format::Text)),
            (b"# Title", "a.MD", Content::Document(Format::Markdown)),
            (b"a,b", "a.Csv", Content::Document(Format::Csv)),
            (b"fn main() {}", "main.rs", Content::Document(Format::Text)),
            (b"#!/bin/sh\n", "run", Content::Document(Format::Text)),
            (b"", "empty.md", Content::Document(Format::Markdown)),
        ];
        for (head, name, expected) in cases {
            assert_eq!(recognize(head, Path::new(name)), expected, "{name}: {}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn the_extension_tells_the_format_in_any_case() {
        let cases = [
            ("a/B.PDF", Format::Pdf),
            ("page.htm", Format::Html),
            ("a.xhtml", Format::Html),
            ("b.TEXT", Format::Text),
            ("c.docx", Format::Docx),
            ("d.txt.gz", Format::Text),
            ("e.md.GZ", Format::Markdown),
        ];
        for (name, format) in cases {
            assert_eq!(by_name(Path::new(name)), Ok(format), "{name}");
        }
        for (name, reason) in [
            ("a/.md", "no extension"),
            ("photo.JPG", "no reader for .jpg"),
            ("README", "no extension"),
            ("a.tar.gz", "no reader for .tar"),
        ] {
            assert_eq!(by_name(Path::new(name)).expect_err(name).to_string(), reason);
        }
    }
}
