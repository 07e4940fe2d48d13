//! Reads the bytes of a file by the reader of their format.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::encoding::{Decoded, TextEncoding, decode, decode_markup};
use super::error::ParseError;
use super::outline::Outline;
use super::reading::Task;
use super::{csv, html, markdown, pdf, quiet, rst, text};
use crate::document::{Format, Loss, LossKind};
use crate::format::{Content, by_name, recognize, without_gz};

/// The largest size of all parts of an archive after they were unpacked, in bytes.
#[cfg(feature = "office")]
pub(super) const MOST_UNPACKED: u64 = 256 << 20;

/// Reads a file called `name`, and returns its format with its text.
pub(super) fn read(bytes: &[u8], name: &str, task: &Task<'_>) -> Result<(Format, Outline), ParseError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ParseError::Empty);
    }
    match recognize(bytes, Path::new(name)) {
        Content::Gzip => {
            let (bytes, loss) = unpack(bytes, task.max_text)?;
            let name = without_gz(name);
            let (format, mut outline) = match recognize(&bytes, Path::new(name)) {
                Content::Gzip => Err(ParseError::OtherFormat("gzip in gzip".into())),
                content => read_content(&bytes, content, name, task),
            }?;
            outline.losses.extend(loss);
            Ok((format, outline))
        }
        content => read_content(bytes, content, name, task),
    }
}

fn read_content(bytes: &[u8], content: Content, name: &str, task: &Task<'_>) -> Result<(Format, Outline), ParseError> {
    let extension = Path::new(name).extension().map(|extension| format!(".{}", extension.display()));
    let format = match content {
        Content::Document(format) => format,
        Content::Gzip => return Err(other("application/gzip", name, extension)),
        Content::Zip => return Err(other("a ZIP archive", name, extension)),
        // Office encrypts a document by putting it into a file of another kind.
        Content::Other("application/x-ole-storage") if contains_utf16(bytes, "EncryptedPackage") => {
            return Err(ParseError::Encrypted);
        }
        Content::Other("application/x-ole-storage") => {
            return Err(other("a document of Office before 2007", name, extension));
        }
        Content::Other(media_type) => return Err(other(media_type, name, extension)),
    };
    if let Some(feature) = format.missing_feature() {
        return Err(ParseError::NotBuiltIn { extension, found: format.description().into(), feature: feature.into() });
    }
    let mut outline = match format {
        Format::Pdf => pdf::outline(bytes, task)?,
        format => quiet::catch(|| outline_of(bytes, format, task.reading.encoding))?,
    };
    if outline.text.trim().is_empty() {
        outline.or_metadata();
    }
    match format {
        _ if !outline.text.trim().is_empty() => Ok((format, outline)),
        Format::Pdf => Err(ParseError::OnlyPictures),
        _ => Err(ParseError::Empty),
    }
}

fn contains_utf16(bytes: &[u8], text: &str) -> bool {
    let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(text.len()).any(|window| window == text)
}

/// Returns the error of a format without a reader.
fn other(found: &'static str, name: &str, extension: Option<String>) -> ParseError {
    match extension {
        Some(extension) if by_name(Path::new(name)).is_ok() => {
            ParseError::Mislabelled { extension, found: found.into() }
        }
        _ => ParseError::OtherFormat(found.into()),
    }
}

fn outline_of(bytes: &[u8], format: Format, encoding: Option<TextEncoding>) -> Result<Outline, ParseError> {
    let read = |Decoded { text, losses }: Decoded, reader: fn(&str) -> Outline| {
        let mut outline = reader(&text);
        outline.losses.splice(0..0, losses);
        outline
    };
    match format {
        Format::Html => Ok(read(decode_markup(bytes, encoding)?, html::outline)),
        Format::Markdown => Ok(read(decode(bytes, encoding)?, markdown::outline)),
        Format::Csv => Ok(read(decode(bytes, encoding)?, csv::outline)),
        Format::Rst => Ok(read(decode(bytes, encoding)?, rst::outline)),
        #[cfg(feature = "office")]
        Format::Docx | Format::Pptx | Format::Spreadsheet | Format::Epub => super::office::outline(bytes, format),
        _ => Ok(read(decode(bytes, encoding)?, text::outline)),
    }
}

/// Unpacks a file that is compressed by gzip, at most to `limit` bytes. Of one that is damaged, it
/// returns what comes before the damage, and the loss.
fn unpack(bytes: &[u8], limit: u64) -> Result<(Vec<u8>, Option<Loss>), ParseError> {
    let mut unpacked = Vec::new();
    let outcome = MultiGzDecoder::new(bytes).take(limit.saturating_add(1)).read_to_end(&mut unpacked);
    if unpacked.len() as u64 > limit {
        return Err(ParseError::TooMuchText(limit));
    }
    match outcome {
        Ok(_) => Ok((unpacked, None)),
        Err(error) if unpacked.is_empty() => Err(ParseError::Broken(error.into())),
        Err(error) => {
            let cause = format!("the compressed file is damaged after {} bytes of text: {error}", unpacked.len());
            Ok((unpacked, Some(Loss { page: None, kind: LossKind::Stream, cause })))
        }
    }
}
