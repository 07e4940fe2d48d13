//! The text of PDFs: what is on their pages, and what they say of themselves.

#[path = "support/pdf.rs"]
mod made;
#[path = "support/raw_pdf.rs"]
mod raw;

#[path = "pdf/beside.rs"]
mod beside;
#[path = "pdf/damaged.rs"]
mod damaged;
#[path = "pdf/engine.rs"]
mod engine;
#[path = "pdf/locked.rs"]
mod locked;
#[path = "pdf/losses.rs"]
mod losses;
#[path = "pdf/scripts.rs"]
mod scripts;
#[path = "pdf/words.rs"]
mod words;

use ragtrace_examples::document::Document;
use ragtrace_examples::parse::{ParseError, Reading, parse};

/// Reads a PDF as the programs do.
async fn read_with(bytes: &[u8], reading: &Reading) -> Result<Document, ParseError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pdf");
    std::fs::write(&path, bytes).expect("a file");
    parse(path.as_path(), reading).await
}

/// Reads a PDF with the default settings.
async fn read(bytes: &[u8]) -> Result<Document, ParseError> {
    read_with(bytes, &Reading::default()).await
}

/// Returns the text of a PDF that is read without a loss.
async fn text(bytes: &[u8]) -> String {
    let document = read(bytes).await.expect("readable");
    assert_eq!(document.losses, []);
    document.text
}
