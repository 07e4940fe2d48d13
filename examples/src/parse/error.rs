//! The reasons why a file could not be read.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;
use std::{fmt, io};

use serde::{Deserialize, Serialize};

use crate::format::readable_extensions;

/// The reason why a file could not be read as a document. The message says what to do about it.
///
/// It can be sent to another process: a cause of any type arrives as its messages.
#[derive(Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ParseError {
    /// The operating system could not read the file.
    Read(#[serde(with = "io_error")] io::Error),
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
    BrokenPdf(#[serde(with = "any_error")] Box<dyn Error + Send + Sync>),
    /// The file is compressed, or an archive, and damaged beyond unpacking.
    Broken(#[serde(with = "any_error")] Box<dyn Error + Send + Sync>),
    /// The archive unpacks to more than this number of bytes.
    TooMuchUnpacked(u64),
    /// The document opens only with a password, which its reader does not support.
    Encrypted,
    /// The PDF opens only with a password.
    EncryptedPdf,
    /// The password does not open the PDF.
    WrongPassword,
    /// The PDF opens only with a password, which `pdftotext` cannot be given safely.
    PdftotextPassword,
    /// The program `pdftotext` cannot be run.
    NoPdftotext(#[serde(with = "io_error")] io::Error),
    /// The PDF has pages, but no text on them.
    OnlyPictures,
    /// The file is larger than the limit.
    TooLarge {
        /// The size of the file in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Reading took all of the memory, in bytes, that one document may take.
    OutOfMemory(u64),
    /// The text of the file is larger than this number of bytes.
    TooMuchText(u64),
    /// Reading took this time of the processor without an end.
    TooSlow(Duration),
    /// Reading did not end within this time, of which the processor worked little.
    Stalled(Duration),
    /// The format's parser panicked.
    Panicked(Panic),
    /// The process that read the file died, or gave nonsense.
    Crashed(#[serde(with = "any_error")] Box<dyn Error + Send + Sync>),
    /// The process that reads the file could not be started.
    NotStarted(#[serde(with = "io_error")] io::Error),
}

impl ParseError {
    /// Returns the kind of error in one to three words, by which the errors of many documents are
    /// summed up. Several errors may be of one kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Read(_) => "unreadable",
            Self::NotAFile => "not a file",
            Self::OtherFormat(_) | Self::Mislabelled { .. } => "another format",
            Self::NotBuiltIn { .. } => "a reader that is not built in",
            Self::Empty => "empty",
            Self::Binary => "binary data",
            Self::BrokenPdf(_) | Self::Broken(_) => "damaged",
            Self::EncryptedPdf | Self::WrongPassword | Self::PdftotextPassword | Self::Encrypted => "locked",
            Self::OnlyPictures => "only pictures",
            Self::TooLarge { .. } | Self::TooMuchUnpacked(_) => "too large",
            Self::OutOfMemory(_) => "out of memory",
            Self::TooMuchText(_) => "too much text",
            Self::TooSlow(_) | Self::Stalled(_) => "out of time",
            Self::Panicked(_) => "panicked",
            Self::Crashed(_) => "crashed",
            Self::NoPdftotext(_) | Self::NotStarted(_) => "not started",
        }
    }

    /// Returns `true` if more memory may help.
    pub(super) fn wants_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory(_) | Self::TooMuchText(_))
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge { bytes, limit } => {
                let (bytes, limit) = (Size(*bytes), Size(*limit));
                return write!(
                    f,
                    "the file has {bytes}, more than the limit of {limit}; split it or raise --max-bytes"
                );
            }
            Self::OutOfMemory(limit) => {
                return write!(
                    f,
                    "reading the file takes more than {} of memory; split it or raise --memory",
                    Size(*limit)
                );
            }
            Self::TooMuchText(limit) => {
                return write!(f, "the file holds more than {} of text; split it or raise --memory", Size(*limit));
            }
            Self::TooSlow(limit) => {
                return write!(
                    f,
                    "reading the file takes more than {limit:?} of computing; split it or raise --timeout"
                );
            }
            Self::Stalled(limit) => {
                return write!(
                    f,
                    "reading the file did not end within {limit:?}; copy it to a local disk and try again"
                );
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
                return write!(f, "the file unpacks to more than {}; split it", Size(*limit));
            }
            Self::Read(_) => "the file cannot be opened; check its path and its permissions",
            Self::NotAFile => "this is neither a file nor a folder; give a file of text",
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
            Self::Broken(_) => "the file is damaged; open it in its program and save it anew",
            Self::Encrypted => "the document is locked with a password; save it without one",
            Self::OnlyPictures => "the PDF has pages but no text; run text recognition (OCR) over it first",
            Self::Panicked(_) => "the parser failed on this file; save it anew with another program",
            Self::Crashed(_) => "the program that reads the file crashed; save the file anew with another program",
            Self::NotStarted(_) => {
                "the program that reads the file cannot be started; end other programs and try again"
            }
        })
    }
}

impl Error for ParseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read(cause) | Self::NotStarted(cause) | Self::NoPdftotext(cause) => Some(cause),
            Self::BrokenPdf(cause) | Self::Broken(cause) | Self::Crashed(cause) => Some(cause.as_ref()),
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
#[derive(Debug, Serialize, Deserialize)]
pub struct Panic(pub(super) String);

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Panic {}

/// A number of bytes for a person, in binary units and rounded to the nearest.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 1024 {
            return write!(f, "{} bytes", self.0);
        }
        let (mut size, mut unit) = (self.0, 0);
        while size >= 1024 * 1024 && unit + 1 < UNITS.len() {
            (size, unit) = (size / 1024, unit + 1);
        }
        write!(f, "{} {}", (size + 512) / 1024, UNITS[unit])
    }
}

/// An error of another process: its message, and its cause.
#[derive(Debug)]
struct Told {
    message: String,
    source: Option<Box<Self>>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Sends an error of any type as its messages.
pub(super) mod any_error {
    use std::error::Error;

    use serde::{Deserialize, Deserializer, Serializer, de};

    use super::Told;

    #[expect(clippy::borrowed_box, reason = "serde passes the field's own type")]
    pub(in super::super) fn serialize<S: Serializer>(
        error: &Box<dyn Error + Send + Sync>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let first: &(dyn Error + 'static) = error.as_ref();
        serializer.collect_seq(std::iter::successors(Some(first), |&error| error.source()).map(ToString::to_string))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Box<dyn Error + Send + Sync>, D::Error> {
        let messages = Vec::<String>::deserialize(deserializer)?.into_iter().rev();
        let told = messages.fold(None, |source, message| Some(Box::new(Told { message, source })));
        told.map(|told| told as _).ok_or_else(|| de::Error::custom("an error without a message"))
    }
}

/// Sends an error of the operating system as its number, by which the receiver knows it too.
mod io_error {
    use std::io;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(error: &io::Error, serializer: S) -> Result<S::Ok, S::Error> {
        (error.raw_os_error(), error.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<io::Error, D::Error> {
        let (number, message) = <(Option<i32>, String)>::deserialize(deserializer)?;
        Ok(number.map_or_else(|| io::Error::other(message), io::Error::from_raw_os_error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(error: &ParseError) -> ParseError {
        let json = serde_json::to_string(error).expect("it can be sent");
        serde_json::from_str(&json).expect("and received")
    }

    #[test]
    fn a_sent_error_arrives_with_all_of_its_causes() {
        let cause = io::Error::other(Panic("too deep".to_owned()));
        let error = sent(&ParseError::BrokenPdf(Box::new(ParseError::Read(cause))));
        let causes: Vec<String> =
            std::iter::successors(error.source(), |&error| error.source()).map(ToString::to_string).collect();
        let opened = "the file cannot be opened; check its path and its permissions";
        assert_eq!(causes, [opened, "too deep"]);
        assert_eq!(error.kind(), "damaged");
    }

    #[test]
    fn a_sent_error_of_the_operating_system_keeps_its_kind() {
        let missing = std::fs::read("no/such/file").expect_err("missing");
        let ParseError::Read(error) = sent(&ParseError::Read(missing)) else { panic!("another error") };
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn sizes_are_for_people() {
        let shown = |bytes| Size(bytes).to_string();
        assert_eq!([shown(1023), shown(64 << 20), shown(10_000_000_000)], ["1023 bytes", "64 MiB", "9 GiB"]);
        assert_eq!(shown(20 << 30), "20 GiB");
    }
}
