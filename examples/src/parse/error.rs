//! The reasons why a file could not be read.

use std::error::Error;
use std::time::Duration;
use std::{fmt, io};

/// The reason why a file could not be read as a document. The message says what to do about it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ParseError {
    /// The operating system could not read the file.
    Read(io::Error),
    /// The path is neither a file nor a folder, but a pipe, a device or a socket.
    NotAFile,
    /// There is no reader for this extension.
    Unsupported,
    /// There is no reader for the format of the bytes, given as a media type.
    OtherFormat(&'static str),
    /// The file contains no text at all.
    Empty,
    /// The bytes are not text in any encoding.
    Binary,
    /// The file is not a PDF, or damaged beyond reading.
    BrokenPdf(Box<dyn Error + Send + Sync>),
    /// The PDF opens only with a password.
    EncryptedPdf,
    /// The password does not open the PDF.
    WrongPassword,
    /// The PDF opens only with a password, which `pdftotext` cannot be given safely.
    PdftotextPassword,
    /// The program `pdftotext` cannot be run.
    NoPdftotext(io::Error),
    /// The PDF has pages, but no text on them.
    OnlyPictures,
    /// The format's parser did not finish within this time.
    TooSlow(Duration),
    /// The format's parser panicked.
    Panicked(Panic),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSlow(limit) => {
                return write!(f, "reading the file takes longer than {limit:?}; split it or save it anew");
            }
            Self::OtherFormat(media_type) => {
                return write!(f, "there is no reader for {media_type}; give .md, .txt, .html or .pdf");
            }
            Self::Read(_) => "the file cannot be opened; check its path and its permissions",
            Self::NotAFile => "this is neither a file nor a folder; give a file of text",
            Self::Unsupported => "there is no reader for this extension; give .md, .txt, .html or .pdf",
            Self::Empty => "there is no text in the file; fill it or leave it out",
            Self::Binary => "the file holds no text but binary data; give it the extension that fits or leave it out",
            Self::BrokenPdf(_) => "the PDF is damaged; open it in a viewer and save it anew",
            Self::EncryptedPdf => "the PDF is locked with a password; give it with --password",
            Self::WrongPassword => "the password does not open the PDF; give the one that it was locked with",
            Self::PdftotextPassword => {
                "pdftotext takes passwords only where other users can read them; read the PDF with --pdf-engine pdfboss"
            }
            Self::NoPdftotext(_) => {
                "pdftotext cannot be run; install poppler-utils or read PDFs with --pdf-engine pdfboss"
            }
            Self::OnlyPictures => "the PDF has pages but no text; run text recognition (OCR) over it first",
            Self::Panicked(_) => "the parser failed on this file; save it anew with another program",
        })
    }
}

impl Error for ParseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read(cause) | Self::NoPdftotext(cause) => Some(cause),
            Self::BrokenPdf(cause) => Some(cause.as_ref()),
            Self::Panicked(cause) => Some(cause),
            _ => None,
        }
    }
}

/// The message of a parser's panic.
#[derive(Debug)]
pub struct Panic(pub(super) String);

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Panic {}
