//! `ragtrace man`: writes the manual, one page for each command.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap_mangen::Man;

use crate::output::{Failure, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to write the pages to, which is created if it is missing. [default: the page of the
    /// command itself goes to standard output]
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, parser: clap::Command) -> Result<Found, Failure> {
    // Global arguments belong to each command only once the parser is built.
    let mut parser = parser.disable_help_subcommand(true);
    parser.build();
    let Some(folder) = &args.output else {
        let mut out = Output::new().writer;
        Man::new(parser).render(&mut out)?;
        out.flush()?;
        return Ok(Found::Something);
    };
    let written = fs::create_dir_all(folder).and_then(|()| write_pages(folder, &parser));
    written.map_err(|error| Failure::new(format!("`{}` cannot be written: {error}", folder.display())))?;
    Ok(Found::Something)
}

/// Writes the page of a command, and those of its own commands.
fn write_pages(folder: &Path, command: &clap::Command) -> std::io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    fs::write(folder.join(format!("{name}.1")), page)?;
    command.get_subcommands().try_for_each(|command| write_pages(folder, command))
}
