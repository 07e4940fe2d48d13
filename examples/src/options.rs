//! The options of the program `ingest`.

use std::ffi::OsStr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, thread};

use clap::{Parser, ValueEnum};
use ragtrace::RequestContext;

use crate::chunk::{Chunking, ChunkingError, Unit};
use crate::discover::{Exclude, Rules};
use crate::embed::EmbedderOptions;
use crate::format::{by_name, readable_extensions};
use crate::parse::pdf::Engine;
use crate::parse::{Memory, Password, Reading, TextEncoding};
use crate::progress::Output;
use crate::stage_logs;

/// The environment variable with the password.
const PASSWORD: &str = "INGEST_PASSWORD";

/// Read documents, cut them into chunks, and embed and store these, so that the `ask` example can
/// answer questions from them.
///
/// A document that is stored already, with the same content and with the same settings, is passed
/// over. So a run that was interrupted goes on when it is started again.
///
/// Exits with 0 if every document was ingested, 1 if one was not, 2 if nothing could be tried, 130
/// after Ctrl-C, 143 after SIGTERM. A second signal ends the program at once.
///
/// Stage logs go to the sinks that the environment variable `RAGTRACE_SINKS` names: sqlite by
/// default, and postgres, datadog, langsmith and otlp if built with the feature of that name.
#[derive(Debug, Parser)]
#[command(name = "ingest", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Options {
    /// Files and folders to read, folders with everything in them, and `-` for standard input
    ///
    /// In a folder, files of other formats and names that begin with a dot are passed over. A link
    /// to a file is followed, a link to a folder is not. A path that is given here is read in any
    /// case.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Unit of the size of a chunk
    #[arg(long, value_enum, default_value = "tokens")]
    chunk_by: ChunkBy,
    /// Largest size of a chunk [default: 160 tokens or 800 characters]
    #[arg(long, value_name = "N")]
    chunk_size: Option<usize>,
    /// Largest part of a chunk that repeats the end of the chunk before, in whole sentences
    /// [default: an eighth of the size]
    #[arg(long, value_name = "N")]
    overlap: Option<usize>,
    /// Database file of documents and vectors
    #[arg(long, value_name = "PATH", default_value = "rag.db")]
    pub db: PathBuf,
    /// Id of the user who ingests, for the stage logs
    #[arg(long)]
    user: Option<String>,
    /// Tenant that the documents belong to
    #[arg(long)]
    tenant: Option<String>,
    /// Number of documents that are ingested at once [default: the number of processor cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Leave out files and folders of this pattern, in which `*` stands for any part of a name;
    /// can be given several times
    ///
    /// A pattern without a slash is compared with names in all folders ("drafts", "*.tmp.md"), one
    /// with a slash with the path below the named folder ("manuals/**/old-*.pdf").
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Exclude>,
    /// Largest size of a file, such as 10MiB; larger ones in folders are skipped [default: 256MiB
    /// for a PDF, 64MiB for any other format]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_bytes: Option<u64>,
    /// Longest time that the processor may work on reading one document, in seconds [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// Memory that all documents share while they are ingested, such as 1GiB [default: 320MiB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// Password of encrypted documents; others can see it in the list of processes, so prefer
    /// --password-file or the environment variable `INGEST_PASSWORD`
    #[arg(long, value_name = "TEXT", value_parser = password, conflicts_with = "password_file")]
    password: Option<Password>,
    /// File whose first line is the password of encrypted documents
    #[arg(long, value_name = "PATH")]
    password_file: Option<PathBuf>,
    /// Encoding of files of text, such as `latin1` or `shift_jis` [default: found out for each
    /// file]
    #[arg(long, value_name = "LABEL")]
    encoding: Option<TextEncoding>,
    /// Reader of PDFs: pdfboss is built in, pdftotext is a program of Poppler
    #[arg(long, value_enum, default_value = "pdfboss")]
    pdf_engine: Engine,
    /// Remove the documents from the store that lie under the given paths and are gone from the
    /// disk, or are left out by --exclude
    #[arg(long)]
    pub prune: bool,
    /// Ingest unchanged documents, too
    #[arg(long)]
    pub force: bool,
    /// Only print which documents would be ingested and removed
    #[arg(long)]
    pub dry_run: bool,
    /// Print an object of JSON for each document and one for the run, each on a line
    ///
    /// A document has `type` ("document"), `path` and `status`: "ingested" and "unchanged" with
    /// `document` (its id in the stage logs), `pages`, `chunks`, `replaced` and `warnings` (each
    /// with `kind`, `page`, `cause`); "failed" with `kind` and `error`; "removed"; with --dry-run
    /// "to ingest", "unchanged" and "to remove". The last object has `type` ("run"), `trace_id`,
    /// `exit_code`, the tally's numbers, and `failures`, `warnings` and `skips` by reason.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
    /// Name of the document on standard input, by which it is replaced later
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    name: String,
    /// Format of the document on standard input, as an extension [default: what its content and its
    /// name tell]
    #[arg(long, value_name = "EXTENSION", value_parser = extension)]
    format: Option<String>,
    /// The choice of the embedder.
    #[command(flatten)]
    pub embedding: EmbedderOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ChunkBy {
    Tokens,
    Chars,
}

impl Options {
    /// Returns one request for the whole run, so that all its stages are in one trace.
    pub fn request(&self) -> RequestContext {
        stage_logs::request("ingest", self.user.as_deref(), self.tenant.as_deref())
    }

    /// Returns the tenant, which is empty without tenants.
    pub fn tenant(&self) -> String {
        self.tenant.clone().unwrap_or_default()
    }

    /// Returns the number of documents that are ingested at once.
    pub fn jobs(&self) -> usize {
        self.jobs.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), usize::from)
    }

    /// Returns the settings of cutting.
    pub fn chunking(&self) -> Result<Chunking, ChunkingError> {
        let (unit, size) = match self.chunk_by {
            ChunkBy::Tokens => (Unit::Tokens, 160),
            ChunkBy::Chars => (Unit::Chars, 800),
        };
        let size = self.chunk_size.unwrap_or(size);
        Chunking::new(unit, size, self.overlap.unwrap_or(size / 8))
    }

    /// Returns the settings of reading.
    pub fn reading(&self) -> Result<Reading, UnreadablePassword> {
        let usual = Reading::default();
        Ok(Reading {
            timeout: self.timeout.map_or(usual.timeout, Duration::from_secs),
            max_bytes: self.max_bytes,
            password: self.password()?,
            encoding: self.encoding,
            pdf_engine: self.pdf_engine,
            memory: self.memory.map_or(usual.memory, Memory::new),
            reader: usual.reader,
            on_progress: usual.on_progress,
        })
    }

    fn password(&self) -> Result<Option<Password>, UnreadablePassword> {
        if self.password.is_some() {
            return Ok(self.password.clone());
        }
        let Some(path) = &self.password_file else {
            return Ok(std::env::var(PASSWORD).ok().filter(|password| !password.is_empty()).map(Password::new));
        };
        let text = fs::read_to_string(path).map_err(|cause| UnreadablePassword { path: path.clone(), cause })?;
        Ok(Some(Password::new(text.lines().next().unwrap_or_default())))
    }

    /// Returns the name of the document on standard input, with the extension of its format.
    pub fn input_name(&self) -> String {
        match &self.format {
            Some(extension) if Path::new(&self.name).extension() != Some(OsStr::new(extension)) => {
                format!("{}.{extension}", self.name)
            }
            _ => self.name.clone(),
        }
    }

    /// Returns the rules by which files in folders are skipped.
    pub fn rules(&self, reading: &Reading) -> Rules {
        Rules { exclude: self.exclude.clone(), reading: Some(reading.clone()) }
    }

    /// Returns the form of what is printed.
    pub fn output(&self) -> Output {
        match (self.json, self.quiet) {
            (true, _) => Output::Json,
            (false, true) => Output::Quiet,
            (false, false) => Output::Lines,
        }
    }
}

/// The error of a file with a password that cannot be read.
#[derive(Debug)]
pub struct UnreadablePassword {
    path: PathBuf,
    cause: std::io::Error,
}

impl fmt::Display for UnreadablePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the password cannot be read from {}; check the path and its permissions", self.path.display())
    }
}

impl std::error::Error for UnreadablePassword {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a function that may fail")]
fn password(text: &str) -> Result<Password, std::convert::Infallible> {
    Ok(Password::new(text))
}

/// Reads the extension of a format that can be read.
fn extension(text: &str) -> Result<String, String> {
    let extension = text.trim_start_matches('.').to_ascii_lowercase();
    match by_name(Path::new(&format!("document.{extension}"))) {
        Ok(format) if format.missing_feature().is_none() => Ok(extension),
        _ => Err(format!("there is no reader for this extension; give {}", readable_extensions().join(", "))),
    }
}

/// Reads a number of bytes, with a unit or without.
fn size(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|character: char| !character.is_ascii_digit());
    let shift = match lower[digits.len()..].trim() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err("expected a number of bytes, or one with KiB, MiB or GiB".to_owned()),
    };
    let number = digits.parse::<u64>().map_err(|error| error.to_string())?;
    number
        .checked_mul(1 << shift)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "expected a size from 1 byte to 16 EiB".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(["7", "2k", "64 MiB", "1GB"].map(size), [7, 2 << 10, 64 << 20, 1 << 30].map(Ok));
        for wrong in ["", "MiB", "1.5G", "-1", "0", "5 apples", "99999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_not_in_what_is_printed_of_the_options() {
        let options = Options::parse_from(["ingest", "--password", "hunter2", "a.pdf"]);
        assert!(!format!("{options:?}").contains("hunter2"));
        assert_eq!(options.reading().expect("a password").password, Some(Password::new("hunter2")));
    }
}
