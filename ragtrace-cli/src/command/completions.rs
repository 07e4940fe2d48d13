//! `ragtrace completions`: writes a script that completes the command's arguments in a shell.

use std::io::Write;

use clap_complete::Shell;

use crate::output::{Failure, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Shell to write the script for.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, mut parser: clap::Command) -> Result<Found, Failure> {
    let mut script = Vec::new();
    let name = parser.get_name().to_owned();
    clap_complete::generate(args.shell, &mut parser, name, &mut script);
    let mut out = Output::new().writer;
    out.write_all(&script)?;
    out.flush()?;
    Ok(Found::Something)
}
