//! The program's side: it starts the process, reads its answer, and finds out why there is none.

use std::error::Error;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::{fmt, io};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout, Command};

use super::frame::{self, End};
use super::limits::Limits;
use super::{ARGUMENT, Request};
use crate::document::Document;
use crate::parse::ParseError;
use crate::report::printable;

/// The largest size of an error, in bytes. Its text comes from a parser.
const MAX_ERROR: u64 = 64 << 10;

/// The part of the process's standard error that is kept, in bytes: its end.
const TAIL: usize = 2 << 10;

/// The beginning of the message of Rust's standard library when there is no memory.
const NO_MEMORY: &str = "memory allocation of ";

/// Reads a document in a process of `program`. The process is killed if this is dropped.
pub(in super::super) async fn read(program: &Path, request: &Request) -> Result<Document, ParseError> {
    let json = serde_json::to_vec(request).map_err(|error| crashed(error.to_string()))?;
    let (mut child, mut pipes) = Child::start(program).map_err(ParseError::NotStarted)?;
    let limits = &request.limits;
    let talked = async {
        let talk = async {
            // A process that ends without a word is noticed when it has no answer.
            let _ = send(&mut pipes.input, &json).await;
            let said = receive(&mut pipes.output, request).await;
            // Nothing more is wanted of it and of those that it started. If its output is closed
            // because it died, its reason is settled already.
            child.kill();
            said
        };
        let (said, tail) = futures_util::future::join(talk, tail(&mut pipes.errors)).await;
        (said, child.process.wait().await, tail)
    };
    let by_the_clock = limits.by_the_clock();
    let Ok((said, status, tail)) = tokio::time::timeout(by_the_clock, talked).await else {
        return Err(if cfg!(unix) { ParseError::Stalled(by_the_clock) } else { ParseError::TooSlow(by_the_clock) });
    };
    let hidden = |text: &str| request.reading.password.as_ref().map_or_else(|| text.to_owned(), |it| it.redact(text));
    match said {
        Ok(outcome) => outcome,
        Err(Silence::TooMuch) => Err(ParseError::TooMuchText(limits.max_text)),
        Err(Silence::Nonsense(what)) => Err(crashed(what)),
        Err(Silence::Closed) => Err(died(status.map_err(ParseError::NotStarted)?, &hidden(&tail), limits)),
    }
}

/// The process, which is killed with those that it started when this is dropped.
struct Child {
    process: tokio::process::Child,
}

struct Pipes {
    /// Open until the answer has come: when it closes, the process ends.
    input: ChildStdin,
    output: ChildStdout,
    errors: tokio::process::ChildStderr,
}

impl Child {
    fn start(program: &Path) -> io::Result<(Self, Pipes)> {
        let mut command = Command::new(program);
        // The message of a crash is wanted, and is not to be lost in a list of functions.
        command.arg(ARGUMENT).env("RUST_BACKTRACE", "0").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for the program, which then ends its processes itself.
        #[cfg(unix)]
        command.process_group(0);
        let mut process = command.spawn()?;
        let gone = || io::Error::other("a pipe to the process is missing");
        let pipes = Pipes {
            input: process.stdin.take().ok_or_else(gone)?,
            output: process.stdout.take().ok_or_else(gone)?,
            errors: process.stderr.take().ok_or_else(gone)?,
        };
        Ok((Self { process }, pipes))
    }

    fn kill(&mut self) {
        // The number of a process that was waited for may be another's by now; then there is none
        // here.
        #[cfg(unix)]
        if let Some(id) = self.process.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
        let _ = self.process.start_kill();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn send(input: &mut ChildStdin, request: &[u8]) -> io::Result<()> {
    input.write_all(&frame::head(frame::REQUEST, request.len())?).await?;
    input.write_all(request).await?;
    input.flush().await
}

/// The reason why a process gave no answer.
enum Silence {
    Closed,
    TooMuch,
    Nonsense(String),
}

impl From<End> for Silence {
    fn from(end: End) -> Self {
        match end {
            End::Closed => Self::Closed,
            End::TooLong => Self::TooMuch,
        }
    }
}

/// Returns the process's answer, after the progress on the way.
async fn receive(output: &mut ChildStdout, request: &Request) -> Result<Result<Document, ParseError>, Silence> {
    let limit = request.limits.max_text.max(MAX_ERROR);
    let mut text = String::new();
    loop {
        let (kind, content) = frame::receive(output, limit).await?;
        let nonsense = |error: serde_json::Error| Silence::Nonsense(error.to_string());
        match kind {
            frame::PROGRESS => {
                let progress = serde_json::from_slice(&content).map_err(nonsense)?;
                request.reading.on_progress.tell(&request.source, progress);
            }
            frame::TEXT => text = String::from_utf8(content).map_err(|error| Silence::Nonsense(error.to_string()))?,
            frame::ERROR => return Ok(Err(serde_json::from_slice(&content).map_err(nonsense)?)),
            frame::DOCUMENT => {
                let document = Document { text, ..serde_json::from_slice(&content).map_err(nonsense)? };
                let whole = document.is_sound().then_some(document);
                return whole.map(Ok).ok_or_else(|| Silence::Nonsense("a place outside of the text".to_owned()));
            }
            _ => return Err(Silence::Nonsense("a frame of an unknown kind".to_owned())),
        }
    }
}

/// Returns the end of `input`.
async fn tail(input: &mut (impl AsyncRead + Unpin)) -> String {
    let (mut tail, mut buffer) = (Vec::new(), [0; TAIL]);
    while let Ok(length @ 1..) = input.read(&mut buffer).await {
        tail.extend_from_slice(&buffer[..length]);
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
    printable(&String::from_utf8_lossy(&tail))
}

/// Returns the error of a process that ended with `status` and without an answer.
fn died(status: ExitStatus, tail: &str, limits: &Limits) -> ParseError {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        let signal = status.signal();
        if signal == Some(rustix::process::Signal::XCPU.as_raw()) {
            return ParseError::TooSlow(limits.seconds());
        }
    }
    if tail.contains(NO_MEMORY) {
        return ParseError::OutOfMemory(limits.memory);
    }
    crashed(if tail.is_empty() { status.to_string() } else { format!("{status}: {tail}") })
}

fn crashed(cause: String) -> ParseError {
    ParseError::Crashed(Box::new(Death(cause)))
}

/// The last words of a process.
#[derive(Debug)]
struct Death(String);

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Death {}
