//! Receives the parts of a request as files.

use std::io;
use std::path::Path;
use std::time::Duration;

use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use ragtrace_examples::Source;
use ragtrace_examples::document::Format;
use ragtrace_examples::format::{Content, HEAD, by_name, recognize};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::label::label;
use super::part_head::Parts;

/// The longest time for which a client may send nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// The name of the parts that are files.
const PART: &str = "files";

/// A received file, which is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The name to show.
    pub(crate) label: String,
    pub(crate) bytes: u64,
    content: Content,
    path: TempPath,
}

impl Upload {
    /// Returns the source for ingesting the file for `tenant`.
    pub(crate) fn source(&self, tenant: &str) -> Source {
        let source = Source::upload(&*self.path, &self.label, tenant);
        match self.document_format() {
            Some(format) => source.with_format(format),
            None => source,
        }
    }

    /// Returns the name of the file's format, if it is one of documents.
    pub(crate) fn format(&self) -> Option<&'static str> {
        self.document_format().map(Format::name)
    }

    fn document_format(&self) -> Option<Format> {
        match self.content {
            Content::Document(format) => Some(format),
            Content::Gzip => by_name(Path::new(&self.label)).ok(),
            Content::Zip | Content::Other(_) => None,
        }
    }

    /// Returns the path of the received file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The reason why a request's files were not received.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The request is larger than the service accepts.
    TooLarge,
    TooManyFiles(usize),
    /// The client sent nothing for too long, or too little on the whole.
    TooSlow,
    /// The head of a part is too long.
    LongHead,
    /// The request ended too early, or does not have the declared form.
    Broken(MultipartError),
    /// A file could not be written.
    Disk(io::Error),
}

impl From<MultipartError> for Refusal {
    fn from(error: MultipartError) -> Self {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE { Self::TooLarge } else { Self::Broken(error) }
    }
}

/// Receives all files of a request into `folder`, at most `max_files` of them. A part is a file if
/// its name is `files`, or it has a file name; others are skipped.
pub(crate) async fn receive(form: Parts, folder: &Path, max_files: usize) -> Result<Vec<Upload>, Refusal> {
    let Parts { mut parts, head } = form;
    let mut uploads = Vec::new();
    loop {
        head.begin();
        let next = within(parts.next_field()).await;
        let next = next.map_err(|refusal| if head.is_too_long() { Refusal::LongHead } else { refusal })?;
        head.end();
        let Some(part) = next else { return Ok(uploads) };
        if part.name() != Some(PART) && part.file_name().is_none() {
            skip(part).await?;
            continue;
        }
        if uploads.len() == max_files {
            return Err(Refusal::TooManyFiles(max_files));
        }
        let is_unnamed = part.file_name().unwrap_or_default().is_empty();
        let label = label(part.file_name().unwrap_or_default(), &format!("file {}", uploads.len() + 1));
        let upload = receive_file(part, label, folder).await?;
        // A browser sends such a part if no file was chosen in the form.
        if upload.bytes > 0 || !is_unnamed {
            uploads.push(upload);
        }
    }
}

async fn receive_file(mut part: Field<'_>, label: String, folder: &Path) -> Result<Upload, Refusal> {
    let (file, path) = NamedTempFile::new_in(folder).map_err(Refusal::Disk)?.into_parts();
    let mut file = File::from_std(file);
    let (mut bytes, mut head) = (0, Vec::new());
    while let Some(chunk) = within(part.chunk()).await? {
        bytes += chunk.len() as u64;
        head.extend_from_slice(&chunk[..chunk.len().min(HEAD - head.len())]);
        file.write_all(&chunk).await.map_err(Refusal::Disk)?;
    }
    file.flush().await.map_err(Refusal::Disk)?;
    let content = recognize(&head, Path::new(&label));
    Ok(Upload { label, bytes, content, path })
}

async fn skip(mut part: Field<'_>) -> Result<(), Refusal> {
    while within(part.chunk()).await?.is_some() {}
    Ok(())
}

/// Waits for the client, with a limit.
async fn within<T>(step: impl Future<Output = Result<T, MultipartError>>) -> Result<T, Refusal> {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(result) => result.map_err(Refusal::from),
        Err(_elapsed) => Err(Refusal::TooSlow),
    }
}
