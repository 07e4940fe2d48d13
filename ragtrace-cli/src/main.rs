//! The `ragtrace` command, which reads, archives and erases what pipelines write to their stores.
//!
//! It exits with 0 if it found something or did its work, with 1 if there was nothing to find, and
//! with 2 if the arguments are wrong or something failed.

mod arguments;
mod command;
mod output;
mod score_writer;
mod usage;
mod view;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tokio::runtime::Builder;

use command::Command;
use output::look::Look;
use output::{Failure, Found, tell};

const EXITS: &str = "Exits with 0 if it found something or did its work, with 1 if there was nothing to find, and with 2 if \
    the arguments are wrong, there is no store, or something failed.";

/// Read, archive and erase the stage logs of a RAG pipeline.
#[derive(Parser)]
#[command(name = "ragtrace", version, max_term_width = 100, after_help = EXITS)]
struct Cli {
    /// URL of the store: `sqlite:PATH` or `postgres://USER@HOST/DATABASE` [default:
    /// `RAGTRACE_STORE`, else `sqlite:ragtrace.db`]
    ///
    /// The default comes from the environment variable `RAGTRACE_STORE`; if that is not set, it is
    /// the file `ragtrace.db` in the current folder. Add `?schema=NAME` to a PostgreSQL URL if the
    /// tables are not in the schema `ragtrace`.
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    #[command(flatten)]
    look: Look,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| tell(format_args!("this is a bug in ragtrace, please report it: {panic}"))));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(parsed) => return usage::write(&parsed),
    };
    cli.look.choose();
    let mut runtime = if cli.command.is_server() { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let done = match runtime.enable_all().build() {
        Ok(runtime) => runtime.block_on(cli.command.run(cli.store.as_deref(), Cli::command())),
        Err(error) => Err(Failure::from(error)),
    };
    match done {
        Ok(Found::Something) => ExitCode::SUCCESS,
        Ok(Found::Nothing(why)) => {
            tell(why);
            ExitCode::from(1)
        }
        // As a shell reports a program that the signal ended.
        Ok(Found::Interrupted) => ExitCode::from(130),
        // The reader of the output has seen enough and closed the pipe, as in `ragtrace logs |
        // head`.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            tell(failure);
            ExitCode::from(2)
        }
    }
}
