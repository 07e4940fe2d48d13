//! Reads PDFs page by page.
//!
//! A page that cannot be read is noted and left out, as long as another page has text, so that a
//! long report is not lost to one bad drawing. A PDF that is encrypted without a password (many
//! are, to prevent printing) can be read.

use pdf_extract::encryption::DecryptionError;
use pdf_extract::{Document, Error, PlainTextOutput, output_doc_page};

use super::error::ParseError;
use super::outline::Outline;
use super::text::reflow;
use super::{pdf_cycles, quiet};

/// Reads a PDF.
pub(super) fn outline(bytes: &[u8]) -> Result<Outline, ParseError> {
    let document = quiet::catch(|| open(bytes))?;
    let mut outline = Outline::default();
    let mut first_error = None;
    for number in quiet::catch(|| pages(&document))? {
        outline.page();
        match quiet::catch(|| page_text(&document, number)) {
            Ok(text) => reflow(&text, &mut outline),
            Err(error) => {
                outline.unreadable_pages.push(number);
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if outline.text.trim().is_empty() => Err(error),
        _ => Ok(outline),
    }
}

fn open(bytes: &[u8]) -> Result<Document, ParseError> {
    let mut document = Document::load_mem(bytes).map_err(refusal)?;
    if document.is_encrypted() {
        document.decrypt("").map_err(refusal)?;
    }
    Ok(document)
}

fn pages(document: &Document) -> Result<Vec<u32>, ParseError> {
    let pages = document.get_pages();
    if pages.is_empty() {
        return Err(ParseError::BrokenPdf("it has no pages".into()));
    }
    pdf_cycles::refuse(document)?;
    Ok(pages.into_keys().collect())
}

fn page_text(document: &Document, number: u32) -> Result<String, ParseError> {
    let mut text = String::new();
    output_doc_page(document, &mut PlainTextOutput::new(&mut text), number)
        .map_err(|error| ParseError::BrokenPdf(Box::new(error)))?;
    Ok(text)
}

fn refusal(error: Error) -> ParseError {
    match error {
        Error::InvalidPassword
        | Error::Decryption(DecryptionError::IncorrectPassword)
        | Error::UnsupportedSecurityHandler(_) => ParseError::EncryptedPdf,
        error => ParseError::BrokenPdf(Box::new(error)),
    }
}
