//! Files of every format, whole and broken, to documents.

#[path = "support/pdf.rs"]
mod made;

use std::error::Error as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lopdf::Object;
use made::{locked, pdf, saved, with_undecodable_pages};
use ragtrace_examples::document::{Document, Loss, LossKind};
use ragtrace_examples::parse::pdf::pages;
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
async fn the_pages_of_a_pdf_are_kept_apart() {
    let pages = ["BT /F1 12 Tf 50 700 Td (First page.) Tj ET", "BT /F1 12 Tf 50 700 Td (Second page.) Tj ET"];
    let document = Folder::new().parse("a.pdf", saved(pdf(&pages, &[]))).await.expect("readable");
    assert_eq!(document.text, "First page.\n\nSecond page.");
    assert_eq!((document.page_at(0), document.page_at(14)), (Some(1), Some(2)));
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_told_with_its_cause_and_does_not_cost_the_others() {
    let document = Folder::new().parse("a.pdf", with_undecodable_pages(2)).await.expect("readable");
    assert_eq!(document.text.trim(), "Sound.");
    let cause = "the page contents could not be read: unsupported filter /Nonesuch";
    let lost = |page| Loss { page: Some(page), kind: LossKind::Stream, cause: cause.to_owned() };
    assert_eq!(document.losses, [lost(2), lost(3)]);
}

#[tokio::test]
async fn a_pdf_of_which_no_page_can_be_read_is_an_error_with_the_cause() {
    let mut file = pdf(&["BT ET"], &[]);
    let page = file.page_iter().next().expect("a page");
    let content = file.get_page_contents(page)[0];
    file.get_object_mut(content).and_then(|object| object.as_stream_mut()).expect("a stream").dict.set("Filter", "No");
    let error = Folder::new().parse("a.pdf", saved(file)).await.expect_err("nothing to read");
    assert!(matches!(error, ParseError::BrokenPdf(_)), "{error:?}");
    let cause = error.source().expect("a cause").to_string();
    assert_eq!(cause, "page 1: the page contents could not be read: unsupported filter /No");
}

#[tokio::test]
async fn pages_that_are_declared_and_missing_are_told() {
    let mut file = pdf(&["BT /F1 12 Tf 50 700 Td (Sound.) Tj ET"], &[]);
    let pages = file.catalog().and_then(|catalog| catalog.get(b"Pages")?.as_reference()).expect("pages");
    file.get_dictionary_mut(pages).expect("pages").set("Count", 3_i64);
    let document = Folder::new().parse("a.pdf", saved(file)).await.expect("readable");
    let cause = "the file says that it has 3 pages, of which 1 were found".to_owned();
    assert_eq!(document.losses, [Loss { page: Some(1), kind: LossKind::Page, cause }]);
}

#[tokio::test]
async fn text_in_a_font_that_is_missing_is_read() {
    let page = "BT /None 12 Tf 50 700 Td (Text.) Tj ET";
    assert_eq!(Folder::new().parse("a.pdf", saved(pdf(&[page], &[]))).await.expect("readable").text, "Text.");
}

#[tokio::test]
async fn control_characters_of_a_pdf_are_left_out() {
    let page = "BT /F1 12 Tf 50 700 Td (A\\000B\\007C) Tj ET";
    let document = Folder::new().parse("a.pdf", saved(pdf(&[page], &[]))).await.expect("readable");
    assert!(!document.text.contains(char::is_control), "{:?}", document.text);
}

#[test]
fn a_password_opens_a_pdf_and_a_wrong_one_does_not() {
    let bytes = locked("secret");
    for password in ["secret", "owner"] {
        assert_eq!(pages(&bytes, Some(password)).expect("readable")[0].text.trim(), "Locked text.");
    }
    for password in [None, Some("wrong")] {
        let error = pages(&bytes, password).expect_err("locked");
        assert!(matches!(error, ParseError::EncryptedPdf), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("wrong"), "{error:?}");
    }
}

#[tokio::test]
async fn a_pdf_locked_with_a_password_is_an_error() {
    let error = Folder::new().parse("a.pdf", locked("secret")).await.expect_err("locked");
    assert!(matches!(error, ParseError::EncryptedPdf), "{error:?}");
}

#[tokio::test]
async fn a_pdf_encrypted_without_a_password_opens() {
    let document = Folder::new().parse("a.pdf", locked("")).await.expect("readable");
    assert_eq!(document.text, "Locked text.");
}

#[tokio::test]
async fn a_pdf_of_pictures_is_an_error() {
    let error = Folder::new().parse("a.pdf", saved(pdf(&["0 0 9 9 re f"], &[]))).await.expect_err("no text");
    assert!(matches!(error, ParseError::OnlyPictures), "{error:?}");
}

#[tokio::test]
async fn a_broken_pdf_is_an_error_with_its_cause() {
    let folder = Folder::new();
    let whole = saved(pdf(&["BT /F1 12 Tf 50 700 Td (Text.) Tj ET"], &[]));
    for bytes in [&b"not a PDF"[..], b"%PDF-1.7\n", &whole[..whole.len() / 3]] {
        let error = folder.parse("a.pdf", bytes).await.expect_err("broken");
        assert!(matches!(error, ParseError::BrokenPdf(_)), "{error:?}");
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn a_pdf_whose_form_draws_itself_is_an_error() {
    let folder = Folder::new();
    for forms in [&[("A", "/A Do")][..], &[("A", "/B Do"), ("B", "/A Do")]] {
        let error = folder.parse("a.pdf", saved(pdf(&["/A Do"], forms))).await.expect_err("a cycle");
        assert!(matches!(error, ParseError::BrokenPdf(_)), "{error:?}");
    }
}

#[tokio::test]
async fn forms_that_only_know_each_other_are_drawn() {
    let text = "BT /F1 12 Tf 50 700 Td (In a form.) Tj ET";
    let bytes = saved(pdf(&["/A Do"], &[("A", "/B Do"), ("B", text)]));
    assert_eq!(Folder::new().parse("a.pdf", bytes).await.expect("readable").text, "In a form.");
}

#[tokio::test]
async fn a_pdf_whose_pages_are_their_own_parents_or_children_is_read_to_its_end() {
    for key in ["Parent", "Kids"] {
        let mut pdf = pdf(&["BT /F1 12 Tf 50 700 Td (Text.) Tj ET"], &[]);
        let root = pdf.catalog().and_then(|catalog| catalog.get(b"Pages")?.as_reference()).expect("pages");
        let page = pdf.page_iter().next().expect("a page");
        let pages = pdf.get_dictionary_mut(root).expect("pages");
        let kids = Object::Array(vec![root.into(), page.into()]);
        pages.set(key, if key == "Kids" { kids } else { root.into() });
        pages.remove(b"MediaBox");
        let document = Folder::new().parse("a.pdf", saved(pdf)).await.expect("readable");
        assert_eq!(document.text, "Text.", "{key}");
    }
}

#[tokio::test]
async fn every_byte_of_a_pdf_may_be_wrong() {
    let folder = Folder::new();
    let whole = saved(pdf(&["BT /F1 12 Tf 50 700 Td (Text.) Tj ET /A Do"], &[("A", "q Q")]));
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x15;
        // Readable or not, it ends without ending the process.
        let _ = folder.parse("a.pdf", bytes).await;
    }
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
async fn what_is_not_a_readable_file_is_an_error() {
    let folder = Folder::new();
    let missing = parse(&folder.0.path().join("missing.md"), &Reading::default()).await.expect_err("missing");
    assert!(matches!(missing, ParseError::Read(_)), "{missing:?}");
    assert!(missing.source().is_some());
    let directory = parse(folder.0.path(), &Reading::default()).await.expect_err("a folder");
    assert!(matches!(directory, ParseError::NotAFile), "{directory:?}");
}
