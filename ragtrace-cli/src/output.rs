//! How a command ends, and what it writes to.

use std::error::Error;
use std::fmt;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock};

use clap::ValueEnum;

/// What a command came to.
pub(crate) enum Found {
    Something,
    /// Nothing, and how to say so.
    Nothing(String),
}

/// How a list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
}

/// The width where standard output is no terminal.
const WIDTH: usize = 100;

/// Standard output, and what it can show.
pub(crate) struct Output {
    pub(crate) writer: BufWriter<StdoutLock<'static>>,
    pub(crate) width: usize,
    pub(crate) colour: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        // https://no-color.org: present and not empty.
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let width = terminal_size::terminal_size_of(&stdout).map_or(WIDTH, |(width, _)| usize::from(width.0));
        Self { writer: BufWriter::new(stdout.lock()), width, colour: terminal && !unwanted }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Box<dyn Error + Send + Sync>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { error: message.into().into() }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        let io = self.error.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into() }
    }
}

impl fmt::Display for Failure {
    /// The error and its sources on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        let mut source = self.error.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
