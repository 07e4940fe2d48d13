//! Why a file could not be read.

use std::error::Error;
use std::time::Duration;
use std::{fmt, io};

/// Why a file did not become a document. The message says what to do about it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ParseError {
    /// The operating system did not hand out the file.
    Read(io::Error),
    /// Neither a file nor a folder: a pipe, a device, a socket.
    NotAFile,
    /// No reader for this extension.
    Unsupported,
    /// No reader for what the bytes are, by their media type.
    OtherFormat(&'static str),
    /// No text in it at all.
    Empty,
    /// Bytes that are no text in any encoding.
    Binary,
    /// Not a PDF, or damaged beyond reading.
    BrokenPdf(Box<dyn Error + Send + Sync>),
    /// The PDF opens only with a password.
    EncryptedPdf,
    /// The PDF shows pages, but there is no text in them.
    OnlyPictures,
    /// The format's parser did not come to an end within this time.
    TooSlow(Duration),
    /// The format's parser gave up on something that it did not expect.
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
            Self::EncryptedPdf => "the PDF is locked with a password; save it without one",
            Self::OnlyPictures => "the PDF has pages but no text; run text recognition (OCR) over it first",
            Self::Panicked(_) => "the parser failed on this file; save it anew with another program",
        })
    }
}

impl Error for ParseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read(cause) => Some(cause),
            Self::BrokenPdf(cause) => Some(cause.as_ref()),
            Self::Panicked(cause) => Some(cause),
            _ => None,
        }
    }
}

/// What a parser said when it panicked.
#[derive(Debug)]
pub struct Panic(pub(super) String);

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Panic {}
