//! How a command ends, and what it writes to.
//!
//! Standard output may be closed, full, or a reader's that has seen enough; none of them is a
//! reason to panic, so nothing here or elsewhere in the command is written by `println!` or
//! `eprintln!`.

use std::error::Error;
use std::fmt;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};

use clap::ValueEnum;
use ragtrace_store::printable;

use crate::secret::mask;

/// What a command came to.
pub(crate) enum Found {
    Something,
    /// Nothing, and how to say so.
    Nothing(String),
}

impl Found {
    /// Ends the command that lists with nothing in its list.
    pub(crate) fn nothing_listed(format: Format, why: impl Into<String>) -> Result<Self, Failure> {
        if format == Format::Json {
            let mut writer = Output::new().writer;
            writeln!(writer, "[]")?;
            writer.flush()?;
        }
        Ok(Self::Nothing(why.into()))
    }
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
    pub(crate) writer: BufWriter<Stdout>,
    /// The terminal's width, in columns, if it is one.
    pub(crate) terminal: Option<usize>,
    pub(crate) colour: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let terminal = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
        Self { terminal, colour: has_colour(&stdout), writer: BufWriter::new(Stdout(stdout.lock())) }
    }

    pub(crate) fn width(&self) -> usize {
        self.terminal.unwrap_or(WIDTH)
    }
}

/// Returns `true` if a stream shows colours, and they are wanted (<https://no-color.org>).
pub(crate) fn has_colour(stream: &impl IsTerminal) -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !unwanted && takes_colour()
}

/// Returns `true` if the terminal shows colours: a console of Windows does once it was told to, and
/// a terminal of Unix that runs there (MSYS2, Cygwin) does by itself, and sets `TERM`.
#[cfg(windows)]
fn takes_colour() -> bool {
    anstyle_query::windows::enable_ansi_colors() == Some(true)
        || std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb")
}

#[cfg(not(windows))]
fn takes_colour() -> bool {
    true
}

/// Standard output, whose errors say that they are its own.
pub(crate) struct Stdout(StdoutLock<'static>);

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(unwritten)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(unwritten)
    }
}

/// Standard output cannot be written.
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

/// Writes a line to standard error, without a password. Where nobody can be told, nobody is.
pub(crate) fn tell(message: impl fmt::Display) {
    let message = message.to_string();
    let _ = writeln!(io::stderr().lock(), "ragtrace: {}", mask(&printable(&message)));
}

/// Returns `true` if nobody reads standard output any more.
#[cfg(unix)]
pub(crate) fn is_stdout_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&at_once)).is_ok()
        && asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
}

/// Elsewhere the next line that is written tells.
#[cfg(not(unix))]
pub(crate) fn is_stdout_closed() -> bool {
    false
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

    /// Returns `true` if the reader of standard output has seen enough.
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
