//! Files of every format, whole and broken, to documents.

use std::error::Error as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use ragtrace_examples::document::Document;
use ragtrace_examples::parse::{ParseError, Reading, parse};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    }

    async fn parse(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<Document, ParseError> {
        parse(&self.file(name, bytes), &Reading::default()).await
    }
}

fn titles(document: &Document) -> Vec<(u8, &str)> {
    document.headings.iter().map(|heading| (heading.level, heading.title.as_str())).collect()
}

#[tokio::test]
async fn markdown_keeps_headings_lists_and_tables() {
    let text = "---\ntitle: hidden\n---\n# Guide\n\nA *first*\nline with `code`.\n\n- one\n- two\n\n\
                ## Parts\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<p>From <b>HTML</b></p>\n";
    let document = Folder::new().parse("a.md", text).await.expect("readable");
    let expected = "Guide\n\nA first line with code.\none\ntwo\n\nParts\na | b\n1 | 2\n\nFrom HTML";
    assert_eq!(document.text, expected);
    assert_eq!(titles(&document), [(1, "Guide"), (2, "Parts")]);
}

#[tokio::test]
async fn html_keeps_what_is_shown() {
    let page = "<html><head><title>Hidden</title><style>p {}</style></head><body><h1>Station <i>One</i></h1>\
                <p>It  stands\n on a <b>hill</b>.</p><script>alert(1)</script><ul><li>mast</li><li>vane</li></ul>\
                <table><tr><th>Part</th><th>Age</th></tr><tr><td>mast</td><td>3</td></tr></table><h2></h2></body>";
    let document = Folder::new().parse("a.html", page).await.expect("readable");
    let expected = "Station One\n\nIt stands on a hill.\nmast\nvane\nPart | Age\nmast | 3";
    assert_eq!(document.text, expected);
    assert_eq!(titles(&document), [(1, "Station One")]);
}

#[tokio::test]
async fn a_page_nested_deeply_is_read() {
    let page = "<div>".repeat(3_000) + "deep";
    let document = Folder::new().parse("deep.html", page).await.expect("readable");
    assert_eq!(document.text, "deep");
}

#[tokio::test]
async fn a_page_that_takes_too_long_is_an_error() {
    let folder = Folder::new();
    let path = folder.file("deep.html", "<div>".repeat(3_000));
    let reading = Reading { timeout: Duration::from_millis(1), ..Reading::default() };
    let error = parse(&path, &reading).await.expect_err("too slow");
    assert!(matches!(error, ParseError::TooSlow(_)), "{error:?}");
}

#[tokio::test]
async fn lines_of_a_text_become_paragraphs() {
    let text = "A para-\ngraph in\nthree lines.\n\n- an item\n  that goes on\n- another\n\nThe end.\r\n";
    let document = Folder::new().parse("a.txt", text).await.expect("readable");
    assert_eq!(document.text, "A paragraph in three lines.\n- an item that goes on\n- another\n\nThe end.");
}

#[tokio::test]
async fn text_is_read_in_the_encoding_it_is_in() {
    let text = "Grüße aus Köln: der Wind weht, die Station misst, und es fällt Regen über den Dächern.";
    let utf16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let latin1: Vec<u8> = text.chars().map(|character| u8::try_from(character).expect("Latin-1")).collect();
    let marked = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
    let files = [
        text.as_bytes().to_vec(),
        marked(b"\xef\xbb\xbf", text.as_bytes().to_vec()),
        marked(b"\xff\xfe", utf16(u16::to_le_bytes)),
        marked(b"\xfe\xff", utf16(u16::to_be_bytes)),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        latin1,
    ];
    let folder = Folder::new();
    for (number, bytes) in files.iter().enumerate() {
        let document = folder.parse("a.txt", bytes).await.expect("readable");
        assert_eq!(document.text, text, "file {number}");
    }
}

#[tokio::test]
async fn a_page_is_read_in_the_encoding_it_declares() {
    let page = b"<meta charset=\"iso-8859-2\"><p>\xb3\xf3d\xbc</p>";
    let document = Folder::new().parse("a.htm", page).await.expect("readable");
    assert_eq!(document.text, "łódź");
}

#[tokio::test]
async fn a_file_without_text_is_an_error() {
    let folder = Folder::new();
    for (name, bytes) in
        [("a.txt", ""), ("b.md", " \n\t\n"), ("c.html", "<p> </p>"), ("d.pdf", ""), ("e.txt", "\u{feff}")]
    {
        let error = folder.parse(name, bytes).await.expect_err("empty");
        assert!(matches!(error, ParseError::Empty), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn binary_data_named_txt_is_an_error() {
    let folder = Folder::new();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89".to_vec();
    let noise: Vec<u8> = (0..4096_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
    for bytes in [png, noise, b"text \0 and a zero".to_vec()] {
        let error = folder.parse("a.txt", bytes).await.expect_err("binary");
        assert!(matches!(error, ParseError::Binary), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_not_a_readable_file_is_an_error() {
    let folder = Folder::new();
    let missing = parse(&folder.0.path().join("missing.md"), &Reading::default()).await.expect_err("missing");
    assert!(matches!(missing, ParseError::Read(_)), "{missing:?}");
    assert!(missing.source().is_some());
    let unsupported = folder.parse("a.docx", "x").await.expect_err("unsupported");
    assert!(matches!(unsupported, ParseError::Unsupported), "{unsupported:?}");
    let directory = parse(folder.0.path(), &Reading::default()).await.expect_err("a folder");
    assert!(matches!(directory, ParseError::NotAFile), "{directory:?}");
}
