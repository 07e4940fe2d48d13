//! The reasons why a file could not be read.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;
use std::{fmt, io};

use crate::format::readable_extensions;

/// The reason why a file could not be read as a document. The message says what to do about it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ParseError {
    /// The operating system could not read the file.
    Read(io::Error),
    /// The path is neither a file nor a folder, but a pipe, a device or a socket.
    NotAFile,
    /// There is no reader for the format of the bytes, given as a media type.
    OtherFormat(Cow<'static, str>),
    /// The bytes are not in the format of the name, but in one without a reader.
    Mislabelled {
        /// The extension of the name, with its dot.
        extension: String,
        /// The format of the bytes for a person.
        found: Cow<'static, str>,
    },
    /// The reader of the format is a feature that is not built in.
    NotBuiltIn {
        /// The extension of the name, with its dot, or `None` for a name without.
        extension: Option<String>,
        /// The format of the bytes for a person.
        found: Cow<'static, str>,
        /// The name of the feature.
        feature: Cow<'static, str>,
    },
    /// The file contains no text at all.
    Empty,
    /// The bytes are not text in any encoding.
    Binary,
    /// The file is not a PDF, or damaged beyond reading.
    BrokenPdf(Box<dyn Error + Send + Sync>),
    /// The file is compressed, or an archive, and damaged beyond unpacking.
    Broken(Box<dyn Error + Send + Sync>),
    /// The file unpacks to more than this number of bytes.
    TooMuchUnpacked(u64),
    /// The document opens only with a password, which its reader does not support.
    Encrypted,
    /// The PDF opens only with a password.
    EncryptedPdf,
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
                return write!(f, "there is no reader for {media_type}; give {Readable}");
            }
            Self::Mislabelled { extension, found } => {
                return write!(f, "this {extension} is {found}, for which there is no reader; give {Readable}");
            }
            Self::NotBuiltIn { extension, found, feature } => {
                let extension = extension.as_deref().unwrap_or("file");
                return write!(f, "this {extension} is {found}; build with `--features {feature}`, or give {Readable}");
            }
            Self::TooMuchUnpacked(limit) => {
                return write!(f, "the file unpacks to more than {limit} bytes; unpack it and give its parts");
            }
            Self::Read(_) => "the file cannot be opened; check its path and its permissions",
            Self::NotAFile => "this is neither a file nor a folder; give a file of text",
            Self::Empty => "there is no text in the file; fill it or leave it out",
            Self::Binary => "the file holds no text but binary data; give it the extension that fits or leave it out",
            Self::BrokenPdf(_) => "the PDF is damaged; open it in a viewer and save it anew",
            Self::Broken(_) => "the file is damaged; open it in its program and save it anew",
            Self::Encrypted => "the document is locked with a password; save it without one",
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
            Self::BrokenPdf(cause) | Self::Broken(cause) => Some(cause.as_ref()),
            Self::Panicked(cause) => Some(cause),
            _ => None,
        }
    }
}

/// The extensions of the formats that can be read, as a list for a person.
struct Readable;

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extensions = readable_extensions();
        let (last, others) = extensions.split_last().ok_or(fmt::Error)?;
        write!(f, "{} or {last}", others.join(", "))
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
