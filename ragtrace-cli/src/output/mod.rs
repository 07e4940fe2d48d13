//! The outcome of a command, and the streams it writes to.
//!
//! Standard output may be closed, full, or read by a program that stops early (`| head`). None of
//! these may cause a panic, so the command never uses `println!` or `eprintln!`.

pub(crate) mod interrupt;
pub(crate) mod list;
pub(crate) mod look;
pub(crate) mod rows;
pub(crate) mod secret;
pub(crate) mod sheet;

use std::error::Error;
use std::fmt;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};

use clap::ValueEnum;
use ragtrace_store::printable;

pub(crate) use crate::output::look::has_colour;
use crate::output::secret::mask;

/// The outcome of a command that did not fail.
pub(crate) enum Found {
    Something,
    /// Nothing was found; the text says so on standard error.
    Nothing(String),
    /// Ctrl-C ended the command.
    Interrupted,
}

impl Found {
    /// Ends a command whose list is empty. As JSON, an empty array is written.
    pub(crate) fn nothing_listed(format: Format, why: impl Into<String>) -> Result<Self, Failure> {
        if format == Format::Json {
            let mut writer = Output::new().writer;
            writeln!(writer, "[]")?;
            writer.flush()?;
        }
        Ok(Self::Nothing(why.into()))
    }
}

/// The format of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON document per line.
    Jsonl,
}

/// The width of drawings, in columns, where lines may be of any length.
const WIDTH: usize = 100;

/// Standard output, the width to fit, and whether to use colours.
pub(crate) struct Output {
    pub(crate) writer: BufWriter<Stdout>,
    /// The width that lines have to fit, in columns: the terminal's, unless another one was chosen.
    /// `None` if they may be of any length.
    pub(crate) terminal: Option<usize>,
    pub(crate) colour: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        Self {
            terminal: look::width_of(&stdout),
            colour: has_colour(&stdout),
            writer: BufWriter::new(Stdout(stdout.lock())),
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.terminal.unwrap_or(WIDTH)
    }
}

/// Standard output, with errors marked as `Unwritten` so that they can be told from others.
pub(crate) struct Stdout(StdoutLock<'static>);

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(unwritten)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(unwritten)
    }
}

/// An error of writing to standard output.
#[derive(Debug)]
struct Unwritten(io::Error);

fn unwritten(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Unwritten(error))
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output cannot be written")
    }
}

impl Error for Unwritten {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Writes a line to standard error, with passwords masked. Errors are ignored, since there is
/// nobody left to tell.
pub(crate) fn tell(message: impl fmt::Display) {
    let message = message.to_string();
    let _ = writeln!(io::stderr().lock(), "ragtrace: {}", mask(&printable(&message)));
}

/// Returns `true` if the reader of standard output has closed it.
#[cfg(unix)]
pub(crate) fn is_stdout_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&at_once)).is_ok()
        && asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
}

/// Returns `false`: on other systems, a closed reader is noticed when the next line is written.
#[cfg(not(unix))]
pub(crate) fn is_stdout_closed() -> bool {
    false
}

/// The error that ended a command.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Box<dyn Error + Send + Sync>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { error: message.into().into() }
    }

    /// Returns `true` if the reader of standard output closed it early.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        let io = self.error.downcast_ref::<io::Error>().filter(|error| error.kind() == ErrorKind::BrokenPipe);
        matches!(io.and_then(io::Error::get_ref), Some(inner) if inner.is::<Unwritten>())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into() }
    }
}

impl fmt::Display for Failure {
    /// Writes the error and its sources on one line.
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
