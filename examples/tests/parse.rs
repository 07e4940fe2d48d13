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
