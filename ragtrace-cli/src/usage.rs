//! Prints the argument parser's output: help, the version, and usage errors.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use crate::output::secret::mask;
use crate::output::{Output, has_colour, tell};

/// Prints the parser's output, with passwords from the arguments masked.
pub(crate) fn write(parsed: &clap::Error) -> ExitCode {
    let text = |stream: &dyn Fn() -> bool| {
        let text = parsed.render();
        let text = if stream() { text.ansi().to_string() } else { text.to_string() };
        mask(&text).into_owned()
    };
    if parsed.use_stderr() {
        let _ = io::stderr().lock().write_all(text(&|| has_colour(&io::stderr())).as_bytes());
        return ExitCode::from(2);
    }
    let mut output = Output::new();
    let help = text(&|| output.colour);
    match output.writer.write_all(help.as_bytes()).and_then(|()| output.writer.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            tell(crate::output::Failure::from(error));
            ExitCode::from(2)
        }
        _ => ExitCode::SUCCESS,
    }
}
