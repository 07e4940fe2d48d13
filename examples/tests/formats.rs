//! The format of a file: its content first, and then its name.

#[path = "support/reading.rs"]
#[expect(dead_code, reason = "not every test needs every helper")]
mod reading;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ragtrace_examples::document::{Format, LossKind};
use ragtrace_examples::parse::ParseError;
use reading::{losses, read, refused};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test]
async fn a_text_of_any_name_is_read() {
    for name in ["README", "main.rs", "notes.log", "a.text", "b.unknown"] {
        let document = read(name, "A text.").await;
        assert_eq!((document.text.as_str(), document.format), ("A text.", Format::Text), "{name}");
    }
}

#[tokio::test]
async fn the_content_is_looked_at_before_the_name() {
    let page = read("page.txt", "<!DOCTYPE html><p>Hello<br>there").await;
    assert_eq!((page.text.as_str(), page.format), ("Hello\nthere", Format::Html));
    let markdown = read("readme.md", "<p align=center>Hello</p>\n\n# Title").await;
    assert_eq!((markdown.text.as_str(), markdown.format), ("Hello\n\nTitle", Format::Markdown));
}

#[tokio::test]
async fn what_is_no_document_is_named() {
    let cases: [(&str, &[u8], &str); 5] = [
        ("photo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "there is no reader for image/png; give "),
        ("photo.pdf", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this .pdf is image/png, for which there is no reader; give "),
        (
            "old.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0",
            "this .docx is a document of Office before 2007, for which there is no reader; give ",
        ),
        ("files.zip", b"PK\x03\x04\x14\0\0\0\x08\0", "there is no reader for a ZIP archive; give "),
        ("a.txt", b"{\\rtf1\\ansi Text}", "this .txt is application/rtf, for which there is no reader; give "),
    ];
    for (name, bytes, expected) in cases {
        let error = refused(name, bytes).await.to_string();
        assert!(error.starts_with(expected) && error.contains(".md, .txt, .html, .pdf"), "{name}: {error}");
    }
}

#[cfg(not(feature = "office"))]
#[tokio::test]
async fn a_document_whose_reader_is_not_built_in_names_the_feature() {
    let word = b"PK\x03\x04\x14\0\0\0\x08\0word/document.xml";
    let expected = "is a Word document; build with `--features office`, or give .md, .txt, .html, .pdf, .csv or .rst";
    for name in ["report.pdf", "report.docx"] {
        let error = refused(name, word).await;
        assert!(matches!(error, ParseError::NotBuiltIn { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("this {} {expected}", &name[6..]));
    }
}

#[tokio::test]
async fn a_compressed_file_is_unpacked_and_read_by_its_inner_name() {
    let cases: [(&str, &[u8], &str); 4] = [
        ("notes.txt.gz", b"A text.", "A text."),
        ("guide.md.gz", b"# Guide\n\n- one\n- two", "Guide\n\n- one\n- two"),
        ("page.gz", b"<!DOCTYPE html><p>Hello", "Hello"),
        ("wrong.txt", b"A text.", "A text."),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(read(name, gzip(bytes)).await.text, expected, "{name}");
    }
    let two = [gzip(b"One. "), gzip(b"Two.")].concat();
    assert_eq!(read("two.txt.gz", two).await.text, "One. Two.");
}

#[tokio::test]
async fn a_compressed_file_that_is_cut_off_keeps_its_beginning() {
    let text = (0..20_000).map(|number| format!("Line {number} of the log.\n\n")).collect::<Vec<_>>().concat();
    let whole = gzip(text.as_bytes());
    let document = read("log.txt.gz", &whole[..whole.len() / 2]).await;
    assert!(document.text.starts_with("Line 0 of the log."));
    assert_eq!(losses(&document), [LossKind::Stream]);
    assert!(matches!(refused("log.txt.gz", &whole[..9]).await, ParseError::Broken(_)));
}

#[tokio::test]
async fn a_compressed_file_does_not_unpack_without_bound() {
    // Members follow each other, and are one file.
    let bomb = gzip(&vec![b' '; 1 << 20]).repeat(257);
    assert!(matches!(refused("bomb.txt.gz", bomb).await, ParseError::TooMuchText(_)));
    let nested = gzip(&gzip(b"A text."));
    assert!(matches!(refused("nested.gz", nested).await, ParseError::OtherFormat(_)));
}
