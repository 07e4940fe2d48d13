//! The source of a document: where its bytes are, and what identifies it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use ragtrace::uuid::Uuid;
use serde::{Deserialize, Serialize};

use crate::document::Format;

/// A file to ingest.
///
/// A file of the user is identified by its path. An [upload](Self::upload) has a meaningless path,
/// and is identified by its content. A [stream](Self::stream) is identified by the name that it is
/// given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The path of its bytes.
    #[serde(with = "any_path")]
    pub path: PathBuf,
    /// Its format as far as it is known before it is read: by the first bytes of an upload, or the
    /// name of a file. [`Document::format`](crate::document::Document::format) is the one it has.
    pub format: Option<Format>,
    /// Its index among the files that came with it, counted from 0. Names may be cleaned, and two
    /// files may have the same one.
    pub(crate) index: Option<usize>,
    /// The name to show, if it is not the file's own.
    name: Option<String>,
    /// The namespace of the ids of the sender, if it is identified by its content.
    namespace: Option<u128>,
}

impl Source {
    /// Creates the source of an upload of `tenant`, whose bytes are at `path` for now. `name` is
    /// only shown.
    pub fn upload(path: impl Into<PathBuf>, name: impl Into<String>, tenant: &str) -> Self {
        /// The namespace of documents that are identified by their content.
        const NAMESPACE: Uuid = Uuid::from_u128(0x3f0c_91d7_52e8_4a6b_8d24_c7a1_0b9e_6f35);
        Self {
            path: path.into(),
            format: None,
            index: None,
            name: Some(name.into()),
            namespace: Some(Uuid::new_v5(&NAMESPACE, tenant.as_bytes()).as_u128()),
        }
    }

    /// Creates the source of a stream, such as standard input, whose bytes are at `path` for now.
    /// It is identified by its name.
    pub fn stream(path: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        let name = name.into();
        let format = Format::of(Path::new(&name));
        Self { path: path.into(), format, index: None, name: Some(name), namespace: None }
    }

    /// Returns `true` for a file of the user, which is identified by its path.
    pub(crate) fn is_file(&self) -> bool {
        self.name.is_none()
    }

    /// Sets the format.
    pub fn with_format(self, format: Format) -> Self {
        Self { format: Some(format), ..self }
    }

    /// Sets the index among the files that came with it, counted from 0.
    pub fn with_index(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }

    /// Returns the name for a person: an upload's name, else the path.
    pub fn label(&self) -> Cow<'_, str> {
        self.name.as_deref().map_or_else(|| self.path.to_string_lossy(), Cow::Borrowed)
    }

    /// Returns the last component of the path, or the name of an upload.
    pub(crate) fn name(&self) -> String {
        let of_file = || self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned();
        self.name.clone().unwrap_or_else(of_file)
    }

    /// Returns the path that identifies the document if its bytes are not needed for that, as they
    /// are for an upload.
    pub(crate) fn known_path(&self) -> Option<PathBuf> {
        self.namespace.is_none().then(|| self.known_by(&[]))
    }

    /// Returns the path that identifies the document. It is the same for a file however it was
    /// named, and for an upload of the same bytes by the same tenant.
    pub(crate) fn known_by(&self, bytes: &[u8]) -> PathBuf {
        match (self.namespace, &self.name) {
            (Some(namespace), _) => {
                PathBuf::from(format!("upload/{}", Uuid::new_v5(&Uuid::from_u128(namespace), bytes)))
            }
            (None, Some(name)) => PathBuf::from(format!("stream/{name}")),
            (None, None) => std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone()),
        }
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self { format: Format::of(&path), path, index: None, name: None, namespace: None }
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::from(path.to_owned())
    }
}

impl From<&PathBuf> for Source {
    fn from(path: &PathBuf) -> Self {
        Self::from(path.clone())
    }
}

/// Serializes a path, which need not be valid Unicode.
pub(crate) mod any_path {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        OsString::deserialize(deserializer).map(PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_known_by_its_content_and_its_tenant() {
        let upload = |path: &str, name: &str, tenant: &str| Source::upload(path, name, tenant).known_by(b"text");
        let first = upload("a", "report.pdf", "acme");
        assert_eq!(first, upload("b", "other.pdf", "acme"));
        assert_ne!(first, upload("a", "report.pdf", "globex"));
        assert_ne!(first, Source::upload("a", "report.pdf", "acme").known_by(b"another text"));
    }

    #[test]
    fn a_stream_is_known_by_its_name() {
        let stream = |path: &str, name: &str| Source::stream(path, name);
        assert_eq!(stream("x", "notes.md").known_by(b"1"), stream("y", "notes.md").known_by(b"2"));
        assert_ne!(stream("x", "notes.md").known_by(b"1"), stream("x", "other.md").known_by(b"1"));
        assert_eq!(stream("x", "notes.md").format, Some(Format::Markdown));
    }

    #[test]
    fn an_upload_shows_its_name_and_a_file_its_path() {
        let upload = Source::upload("folder/x81", "report.pdf", "");
        assert_eq!((upload.label().as_ref(), upload.name().as_str()), ("report.pdf", "report.pdf"));
        let file = Source::from(Path::new("data/report.pdf"));
        assert_eq!((file.label().as_ref(), file.name().as_str()), ("data/report.pdf", "report.pdf"));
    }
}
