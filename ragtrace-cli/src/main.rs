//! The `ragtrace` command: reads what a pipeline logged.
//!
//! It exits with 0 if it found something, 1 if there was nothing to find, 2 if it was asked wrongly
//! or there is no store.

mod errors;
mod filter;
mod find;
mod inflight;
mod list;
mod logs;
mod migrate;
mod number;
mod output;
mod purge;
mod replay;
mod retention;
mod rows;
mod secret;
mod setting;
mod stages;
mod stats;
mod tail;
mod time;
mod trace;
mod traces;
mod usage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Failure, Found, tell};

const EXITS: &str = "Exits with 0 if it found something or did what it was asked to, with 1 if there was nothing to find, \
    with 2 if it was asked wrongly or there is no store.";

/// Read the stage logs of a RAG pipeline.
#[derive(Parser)]
#[command(name = "ragtrace", version, max_term_width = 100, after_help = EXITS)]
struct Cli {
    /// Where the logs are: `sqlite:` and the path of a file, or `postgres://user@host/database`. A
    /// schema other than `ragtrace` is named by `?schema=NAME`. If not given it is `RAGTRACE_STORE`
    /// of the environment, and without that `sqlite:ragtrace.db`.
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List finished traces, the newest first.
    Traces(traces::Args),
    /// Draw one trace as a waterfall.
    Trace(trace::Args),
    /// List log records, the newest first.
    Logs(logs::Args),
    /// List errors, the newest first.
    Errors(errors::Args),
    /// Say what each stage did over a while: runs, outcomes, costs, percentiles.
    Stats(stats::Args),
    /// Show the last records, and with `-f` those that come.
    Tail(tail::Args),
    /// List the stages that run at the moment.
    Inflight(inflight::Args),
    /// List every stage of the programs that wrote here.
    Stages(stages::Args),
    /// Move old traces to the archive or remove them, and forget what the archive has kept for
    /// long.
    Retention(retention::Args),
    /// Erase a person.
    Purge(purge::Args),
    /// Create the store, or bring its tables up to this version.
    Migrate,
    /// Deliver dead letters once more, to the sinks that `RAGTRACE_SINKS` names.
    Replay(replay::Args),
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| tell(format_args!("this is a bug of ragtrace, please report it: {panic}"))));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(parsed) => return usage::write(&parsed),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(&cli)),
        Err(error) => Err(Failure::from(error)),
    };
    match done {
        Ok(Found::Something) => ExitCode::SUCCESS,
        Ok(Found::Nothing(why)) => {
            tell(why);
            ExitCode::from(1)
        }
        // The reader of our output has seen enough, as in `ragtrace logs | head`.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            tell(failure);
            ExitCode::from(2)
        }
    }
}

async fn run(cli: &Cli) -> Result<Found, Failure> {
    let store = || setting::store(cli.store.as_deref());
    match &cli.command {
        Command::Trace(args) => trace::run(&store()?, args).await,
        Command::Logs(args) => logs::run(&store()?, args).await,
        Command::Errors(args) => errors::run(&store()?, args).await,
        Command::Traces(args) => traces::run(&store()?, args).await,
        Command::Stats(args) => stats::run(&store()?, args).await,
        Command::Tail(args) => tail::run(&store()?, args).await,
        Command::Inflight(args) => inflight::run(&store()?, args).await,
        Command::Stages(args) => stages::run(&store()?, args).await,
        Command::Retention(args) => retention::run(&store()?, args).await,
        Command::Purge(args) => purge::run(&store()?, args).await,
        Command::Migrate => migrate::run(&store()?).await,
        Command::Replay(args) => replay::run(args, cli.store.as_deref()).await,
    }
}
