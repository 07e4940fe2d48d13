//! The parts of a document, unpacked one by one within a bound that all of them share.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::document::LossKind;
use crate::parse::error::ParseError;
use crate::parse::outline::Outline;
use crate::parse::read::MOST_UNPACKED;

/// The archive of a document.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// The number of bytes that may still be unpacked.
    left: u64,
}

impl<'a> Archive<'a> {
    /// Opens the archive.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| ParseError::Broken(error.into()))?;
        Ok(Self { zip, left: MOST_UNPACKED })
    }

    /// Returns the number of parts.
    pub(super) fn len(&self) -> usize {
        self.zip.len()
    }

    /// Returns `true` if there is a part of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// Unpacks a part. Returns `None` if there is none of this name.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>, ParseError> {
        match self.zip.by_name(name) {
            Err(ZipError::FileNotFound) => Ok(None),
            Err(ZipError::UnsupportedArchive(why)) if why == ZipError::PASSWORD_REQUIRED => Err(ParseError::Encrypted),
            Err(error) => Err(ParseError::Broken(error.into())),
            Ok(mut part) => {
                let mut bytes = Vec::new();
                let outcome = (&mut part).take(self.left.saturating_add(1)).read_to_end(&mut bytes);
                if bytes.len() as u64 > self.left {
                    return Err(ParseError::TooMuchUnpacked(MOST_UNPACKED));
                }
                self.left -= bytes.len() as u64;
                outcome.map_err(|error| ParseError::Broken(error.into()))?;
                Ok(Some(bytes))
            }
        }
    }

    /// Unpacks a part that the document needs to be whole. If it is missing or damaged, this is a
    /// loss of the document.
    pub(super) fn part_or_loss(&mut self, name: &str, outline: &mut Outline) -> Result<Option<Vec<u8>>, ParseError> {
        let cause = match self.part(name) {
            Ok(Some(bytes)) => return Ok(Some(bytes)),
            Ok(None) => "it is missing".to_owned(),
            Err(ParseError::Broken(cause)) => cause.to_string(),
            Err(error) => return Err(error),
        };
        outline.lose(LossKind::Stream, format!("the part {name} could not be read: {cause}"));
        Ok(None)
    }

    /// Unpacks everything, to see that it is within the bound.
    pub(super) fn check(&mut self) -> Result<(), ParseError> {
        for index in 0..self.len() {
            if let Ok(mut part) = self.zip.by_index(index) {
                let unpacked = std::io::copy(&mut (&mut part).take(self.left.saturating_add(1)), &mut std::io::sink());
                // A damaged part is the reader's to tell.
                let unpacked = unpacked.unwrap_or(0);
                self.left = self.left.checked_sub(unpacked).ok_or(ParseError::TooMuchUnpacked(MOST_UNPACKED))?;
            }
        }
        Ok(())
    }
}

/// Returns the name of a part that another one in `folder` refers to.
pub(super) fn resolved(folder: &str, target: &str) -> String {
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let target = percent_decoded(target);
    let mut names: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.retain(|name| !name.is_empty());
    names.join("/")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let (byte, after) = match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => (byte, &after[2..]),
            None => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    #[test]
    fn all_parts_together_do_not_unpack_to_more_than_the_bound() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["a", "b", "c"] {
            writer.start_file(name, SimpleFileOptions::default()).expect("a part");
            writer.write_all(&[b' '; 400]).expect("memory");
        }
        let bytes = writer.finish().expect("memory").into_inner();
        let open = || Archive { left: 1000, ..Archive::open(&bytes).expect("an archive") };
        let mut archive = open();
        let mut part = |name: &str| archive.part(name);
        assert!(part("none").expect("no error").is_none());
        assert!(part("a").is_ok() && part("b").is_ok());
        assert!(matches!(part("c"), Err(ParseError::TooMuchUnpacked(_))));
        assert!(matches!(open().check(), Err(ParseError::TooMuchUnpacked(_))));
    }

    #[test]
    fn names_of_parts_are_resolved() {
        let cases = [
            ("OEBPS", "text/a%20b.xhtml#c", "OEBPS/text/a b.xhtml"),
            ("OEBPS/text", "../images/x.png", "OEBPS/images/x.png"),
            ("word", "/word/document.xml", "word/document.xml"),
            ("", "a.xhtml", "a.xhtml"),
            ("a", "../../../b%", "b%"),
        ];
        for (folder, target, expected) in cases {
            assert_eq!(resolved(folder, target), expected);
        }
    }
}
