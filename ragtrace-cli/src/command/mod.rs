//! The commands, one file each. Each has its arguments (`Args`) and a function that runs it
//! (`run`), which gets the store's URL, or the whole command line if it needs no store.

mod diff;
mod errors;
mod inflight;
mod logs;
mod migrate;
mod purge;
mod replay;
mod retention;
mod serve;
mod stages;
mod stats;
mod tail;
mod trace;
mod traces;

use clap::Subcommand;

use crate::arguments::setting;
use crate::output::{Failure, Found};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List finished traces, newest first.
    ///
    /// A trace that several processes took part in is listed once for each of them.
    #[command(after_help = "Example: ragtrace traces --status failed --since 24h")]
    Traces(traces::Args),
    /// Draw one trace as a waterfall.
    #[command(after_help = "Example: ragtrace trace last")]
    Trace(trace::Args),
    /// Compare two traces stage by stage: durations, items, cost, outcome, new and gone stages.
    ///
    /// Runs of a stage are compared in the order of their starts, those inside of another stage
    /// with those inside of its counterpart. Five or more runs of one stage next to each other are
    /// compared as a sum.
    #[command(after_help = "Example: ragtrace diff last~1 last --changed")]
    Diff(diff::Args),
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
    /// Show the store in a web browser: traces, stages, costs, errors, scores, and new records
    /// live.
    ///
    /// The viewer listens on this machine alone unless told otherwise, reads only, and loads
    /// nothing from elsewhere.
    #[command(after_help = "Example: ragtrace serve --listen 127.0.0.1:7667")]
    Serve(serve::Args),
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

impl Command {
    /// Returns `true` if the command answers many at once, and so needs more than one thread.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Self::Serve(_))
    }

    /// Runs the command on the store that the argument `--store` names, or else the environment.
    pub(crate) async fn run(&self, store: Option<&str>) -> Result<Found, Failure> {
        let url = || setting::store(store);
        match self {
            Self::Trace(args) => trace::run(&url()?, args).await,
            Self::Diff(args) => diff::run(&url()?, args).await,
            Self::Logs(args) => logs::run(&url()?, args).await,
            Self::Errors(args) => errors::run(&url()?, args).await,
            Self::Traces(args) => traces::run(&url()?, args).await,
            Self::Stats(args) => stats::run(&url()?, args).await,
            Self::Tail(args) => tail::run(&url()?, args).await,
            Self::Inflight(args) => inflight::run(&url()?, args).await,
            Self::Stages(args) => stages::run(&url()?, args).await,
            Self::Serve(args) => serve::run(&url()?, args).await,
            Self::Retention(args) => retention::run(&url()?, args).await,
            Self::Purge(args) => purge::run(&url()?, args).await,
            Self::Migrate => migrate::run(&url()?).await,
            Self::Replay(args) => replay::run(args, store).await,
        }
    }
}
