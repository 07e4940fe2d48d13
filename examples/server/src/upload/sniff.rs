//! Determines the format of a file from its first bytes.

use std::path::Path;

use ragtrace_examples::document::Format;

/// The number of bytes that are examined.
pub(super) const HEAD: usize = 8 << 10;
/// The end of the range in which a PDF's header may begin (ISO 32000-1, implementation note 13 of
/// Adobe's readers).
const PDF_HEADER: usize = 1_024;

/// The content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A format that can be read.
    Readable(Format),
    /// Something else, as a media type.
    Other(&'static str),
}

/// Determines the content of a file. Text files have no mark at their beginning, so their name
/// decides which format it is.
pub(super) fn sniff(head: &[u8], label: &str) -> Content {
    if head[..head.len().min(PDF_HEADER)].windows(5).any(|window| window == b"%PDF-") {
        return Content::Readable(Format::Pdf);
    }
    let named = Format::of(Path::new(label));
    let found = infer::get(head);
    match (found.map(|found| found.mime_type()), named) {
        // A Markdown page may begin with a tag.
        (Some("text/html"), None | Some(Format::Text | Format::Pdf)) => Content::Readable(Format::Html),
        // Some marks are words: a text may begin with "BM" without being a picture.
        (Some(media_type), _) if !media_type.starts_with("text/") && !is_text(head) => Content::Other(media_type),
        // A PDF without its header is damaged, which the reader reports.
        (_, Some(format)) => Content::Readable(format),
        (_, None) => Content::Readable(Format::Text),
    }
}

/// Returns `true` if it contains only bytes that occur in text.
fn is_text(head: &[u8]) -> bool {
    head.iter().all(|byte| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_what_a_file_is_whatever_its_name() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        let zip = b"PK\x03\x04\x14\0\0\0\x08\0";
        let late = [&[b'x'; 1_000][..], b"%PDF-1.7"].concat();
        let too_late = [&[b'x'; 1_024][..], b"%PDF-1.7"].concat();
        let cases: [(&[u8], &str, Content); 14] = [
            (b"%PDF-1.7\n", "report.txt", Content::Readable(Format::Pdf)),
            (&late, "report", Content::Readable(Format::Pdf)),
            (&too_late, "report", Content::Readable(Format::Text)),
            (b"no header", "report.pdf", Content::Readable(Format::Pdf)),
            (png, "report.pdf", Content::Other("image/png")),
            (zip, "report.md", Content::Other("application/zip")),
            (b"<!DOCTYPE html><p>Hello", "page", Content::Readable(Format::Html)),
            (b"<!DOCTYPE html><p>Hello", "page.txt", Content::Readable(Format::Html)),
            (b"<p align=center>Hello", "readme.md", Content::Readable(Format::Markdown)),
            (b"BMW builds cars.", "cars.txt", Content::Readable(Format::Text)),
            (b"# Title", "a.MD", Content::Readable(Format::Markdown)),
            (b"fn main() {}", "main.rs", Content::Readable(Format::Text)),
            (b"#!/bin/sh\n", "run", Content::Readable(Format::Text)),
            (b"", "empty.md", Content::Readable(Format::Markdown)),
        ];
        for (head, label, expected) in cases {
            assert_eq!(sniff(head, label), expected, "{label}: {}", String::from_utf8_lossy(head));
        }
    }
}
