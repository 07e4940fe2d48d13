//! The `ragtrace` command, which reads, archives and erases what pipelines write to their stores.
//!
//! It exits with 0 if it found something or did its work, with 1 if there was nothing to find, and
//! with 2 if the arguments are wrong or something failed.

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
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List finished traces, newest first.
    ///
    /// A trace that several processes took part in is listed once for each of them.
    #[command(after_help = "Example: ragtrace traces --status failed --since 24h")]
    Traces(traces::Args),
    /// Draw one trace as a waterfall.
    #[command(after_help = "Example: ragtrace trace last")]
    Trace(trace::Args),
    /// List log records, newest first.
    #[command(after_help = "Example: ragtrace logs --trace last --level warn")]
    Logs(logs::Args),
    /// List failed stages and logged errors, newest first.
    #[command(after_help = "Example: ragtrace errors --user alice --since 7d")]
    Errors(errors::Args),
    /// Summarize each stage over a time window: runs, outcomes, items, cost, percentiles.
    #[command(after_help = "Example: ragtrace stats --since 7d")]
    Stats(stats::Args),
    /// Show the newest records, and follow new ones with `-f`.
    #[command(after_help = "Example: ragtrace tail -f --stage ingestion")]
    Tail(tail::Args),
    /// List the stages that are running now.
    ///
    /// A stage counts as running if its end is not recorded, and its process has reported to the
    /// store in the last three minutes, as it does every 30 seconds. Stages that began more than a
    /// day ago are not listed.
    #[command(after_help = "Example: ragtrace inflight")]
    Inflight(inflight::Args),
    /// List every stage of the programs that write to the store.
    #[command(after_help = "Example: ragtrace stages --format json")]
    Stages(stages::Args),
    /// Archive or remove old traces, and remove what the archive has kept long enough.
    ///
    /// Every trace is kept for some days (`--days`). Then the traces with an error, and a share of
    /// the others (`--sample`), move to the table `logs_archive`, in which the other commands still
    /// find them. The rest is removed.
    #[command(after_help = "Example: ragtrace retention --days 14 --sample 0.05 --dry-run")]
    Retention(retention::Args),
    /// Erase everything that was recorded about one user.
    ///
    /// This cannot be undone: `--dry-run` shows first what would be removed. Copies and backups of
    /// the store are not touched.
    #[command(after_help = "Example: ragtrace purge --user alice --spool spool --dry-run")]
    Purge(purge::Args),
    /// Create the store, or upgrade its tables to this version.
    ///
    /// A program that writes to the store does this by itself. Run the command beforehand if the
    /// program's database role may not create tables.
    #[command(after_help = "Example: ragtrace migrate --store 'postgres://USER@HOST/DATABASE'")]
    Migrate,
    /// Deliver dead letters again: records that a sink refused.
    ///
    /// The records go to the sinks that the environment variable `RAGTRACE_SINKS` names, by default
    /// `sqlite`. Each sink gets the records that it refused before, and those that it accepts now
    /// are removed from the spool.
    #[command(after_help = "Example: RAGTRACE_SINKS=postgres ragtrace replay --spool spool")]
    Replay(replay::Args),
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| tell(format_args!("this is a bug in ragtrace, please report it: {panic}"))));
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
        // The reader of the output has seen enough and closed the pipe, as in `ragtrace logs |
        // head`.
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
