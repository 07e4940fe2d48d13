//! Damaged files give the text that is in them, or an error with its cause.

use std::error::Error as _;

use lopdf::Object;
use ragtrace_examples::parse::ParseError;

use super::made::{pdf, saved};
use super::raw::{HELVETICA, Raw};
use super::{read, text};

const TEXT: &str = "Text of the sound file";

fn whole() -> String {
    let bytes = Raw::new(&format!("BT /F1 12 Tf 72 700 Td ({TEXT}) Tj ET"), HELVETICA).bytes();
    String::from_utf8(bytes).expect("ASCII")
}

/// Returns the file with everything from `mark` on cut off.
fn before(mark: &str) -> String {
    let whole = whole();
    whole[..whole.rfind(mark).expect("the mark")].to_owned()
}

#[tokio::test]
async fn a_wrong_start_of_the_table_does_not_matter() {
    let whole = whole();
    let start: usize = whole.lines().rev().nth(1).expect("a number").parse().expect("a number");
    for wrong in [0, 1, start - 4, start + 4, start + 40, 9_999_999] {
        let file = whole.replace(&format!("startxref\n{start}"), &format!("startxref\n{wrong}"));
        assert_eq!(text(file.as_bytes()).await, TEXT, "{wrong} for {start}");
    }
}

#[tokio::test]
async fn a_file_without_its_end_is_read() {
    for mark in ["%%EOF", "startxref", "trailer", "xref\n0"] {
        assert_eq!(text(before(mark).as_bytes()).await, TEXT, "without {mark}");
    }
}

#[tokio::test]
async fn a_wrong_table_does_not_matter() {
    let whole = whole();
    let entry = whole.lines().find(|line| line.ends_with(" 00000 n ")).expect("an entry");
    for wrong in [entry.replace(" n ", " f "), "0000000003 00000 n ".to_owned(), "0000099999 00000 n ".to_owned()] {
        assert_eq!(text(whole.replace(entry, &wrong).as_bytes()).await, TEXT, "{wrong}");
    }
}

#[tokio::test]
async fn a_header_that_is_missing_or_comes_late_does_not_matter() {
    let whole = whole();
    let after_header = whole.strip_prefix("%PDF-1.4\n").expect("a header");
    for file in
        [after_header.to_owned(), format!("\r\njunk before it\n{whole}"), whole.replacen("%PDF-1.4", "%PDF-9", 1)]
    {
        assert_eq!(text(file.as_bytes()).await, TEXT);
    }
}

#[tokio::test]
async fn a_wrong_length_of_a_stream_does_not_matter() {
    let whole = whole();
    let length = format!("/Length {}", TEXT.len() + 31);
    assert!(whole.contains(&length), "{whole}");
    for wrong in [0, 7, 300, 100_000] {
        let file = whole.replace(&length, &format!("/Length {wrong}"));
        assert_eq!(text(file.as_bytes()).await, TEXT, "{wrong}");
    }
    assert_eq!(text(whole.replace(&length, "").as_bytes()).await, TEXT);
}

#[tokio::test]
async fn a_broken_pdf_is_an_error_with_its_cause() {
    let whole = saved(pdf(&["BT /F1 12 Tf 50 700 Td (Text.) Tj ET"], &[]));
    for bytes in [&b"not a PDF"[..], b"%PDF-1.7\n", &whole[..whole.len() / 3]] {
        let error = read(bytes).await.expect_err("broken");
        assert!(matches!(error, ParseError::BrokenPdf(_)), "{error:?}");
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn a_file_of_no_pages_is_damaged() {
    let file = whole().replace("/Kids[3 0 R]", "/Kids[]").replace("/Type/Page/", "/Type/Nothing/");
    let error = read(file.as_bytes()).await.expect_err("no pages");
    assert!(matches!(error, ParseError::BrokenPdf(_)), "{error:?}");
    assert_eq!(error.source().expect("a cause").to_string(), "it has no pages");
}

#[tokio::test]
async fn a_form_that_draws_itself_is_an_error() {
    for forms in [&[("A", "/A Do")][..], &[("A", "/B Do"), ("B", "/A Do")]] {
        let error = read(&saved(pdf(&["/A Do"], forms))).await.expect_err("a cycle");
        assert!(matches!(error, ParseError::BrokenPdf(_)), "{error:?}");
    }
}

#[tokio::test]
async fn pages_that_are_their_own_parents_or_children_are_read_to_their_end() {
    for key in ["Parent", "Kids"] {
        let mut pdf = pdf(&["BT /F1 12 Tf 50 700 Td (Text.) Tj ET"], &[]);
        let root = pdf.catalog().and_then(|catalog| catalog.get(b"Pages")?.as_reference()).expect("pages");
        let page = pdf.page_iter().next().expect("a page");
        let pages = pdf.get_dictionary_mut(root).expect("pages");
        let kids = Object::Array(vec![root.into(), page.into()]);
        pages.set(key, if key == "Kids" { kids } else { root.into() });
        pages.remove(b"MediaBox");
        let document = read(&saved(pdf)).await.expect("readable");
        assert_eq!(document.text, "Text.", "{key}");
    }
}

#[tokio::test]
async fn every_byte_may_be_wrong() {
    let whole = saved(pdf(&["BT /F1 12 Tf 50 700 Td (Text.) Tj ET /A Do"], &[("A", "q Q")]));
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x15;
        // Readable or not, it ends without ending the process.
        let _ = read(&bytes).await;
    }
}
