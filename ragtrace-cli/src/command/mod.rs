//! The commands, one file each. Each has its arguments (`Args`) and a function that runs it
//! (`run`), which gets the store's URL, or the whole command line if it needs no store.

mod check;
mod completions;
mod diff;
mod errors;
mod export;
mod import;
mod inflight;
mod logs;
mod man;
mod migrate;
mod purge;
mod replay;
mod retention;
mod score;
mod serve;
mod spool;
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
    /// Group failed stages and logged errors by stage, type and message.
    ///
    /// Messages that differ only in numbers, ids, quoted texts and paths are one group. Each has
    /// its number of errors and of users, its first and last time, and the newest trace as an
    /// example.
    #[command(after_help = "Example: ragtrace errors --user alice --since 7d")]
    Errors(errors::Args),
    /// Summarize each stage over a time window: runs, outcomes, items, cost, percentiles.
    ///
    /// Each stage is compared with the window of the same length before. Stages whose 95th
    /// percentile has grown by 20% or more come first, marked `▲ slower`, then those with more
    /// errors. A trend needs 10 runs in both windows.
    #[command(after_help = "Example: ragtrace stats --since 24h\n\nExample: ragtrace stats --since 7d --by tenant")]
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
    /// the store are not touched. Each purge leaves a line of audit in the store, without the
    /// user's id; `--list` shows them.
    #[command(after_help = "Example: ragtrace purge --user alice --spool spool --dry-run")]
    Purge(purge::Args),
    /// Judge a trace or one of its runs.
    ///
    /// The score is stored beside the trace, and shown with it. A store refuses a score for a trace
    /// that it knows under another tenant.
    #[command(after_help = "Example: ragtrace score last helpful true --comment 'exactly what I needed'")]
    Score(score::Args),
    /// Write records and scores to a file, as JSON lines, OTLP or CSV.
    ///
    /// Records come from the oldest to the newest, those of the archive included, and the scores
    /// after them. `ragtrace import` reads what `--format jsonl` writes.
    #[command(after_help = "Example: ragtrace export --since 7d --output week.jsonl.gz")]
    Export(export::Args),
    /// Write exported records and scores to a store.
    ///
    /// Records that the store has already are left out, so an import that was interrupted is
    /// continued by running it again. The runs of new records are counted for `stats` and `traces`
    /// unless the process that made them had counted them in this store. Retention treats imported
    /// records like all others. The store is created if it is missing.
    #[command(after_help = "Example: ragtrace import week.jsonl.gz --store 'postgres://USER@HOST/DATABASE'")]
    Import(import::Args),
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
    /// Check that sinks can be reached, and that running processes deliver.
    ///
    /// Connects to every sink that the environment variable `RAGTRACE_SINKS` names, by default
    /// `sqlite`, and creates the tables of a database if they are missing. With `--metrics` or
    /// `--spool` it checks a running process instead: sinks that are parked, records that were
    /// dropped or refused, and records that have been waiting for too long. Each finding is a line.
    ///
    /// Exits with 0 if all is well, with 1 if something is wrong, and with 2 if the arguments or
    /// the settings are.
    #[command(after_help = "Example: ragtrace check --metrics http://127.0.0.1:8080/metrics --max-age 5m")]
    Check(check::Args),
    /// Show what waits in a spool.
    #[command(subcommand, after_help = "Example: ragtrace spool ls --spool /var/spool/rag-api")]
    Spool(spool::Command),
    /// Write a script that completes the command's arguments in a shell.
    #[command(after_help = "Example: ragtrace completions bash > /etc/bash_completion.d/ragtrace")]
    Completions(completions::Args),
    /// Write the manual, one page for each command.
    #[command(after_help = "Example: ragtrace man --output /usr/local/share/man/man1")]
    Man(man::Args),
}

impl Command {
    /// Returns `true` if the command answers many at once, and so needs more than one thread.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Self::Serve(_))
    }

    /// Runs the command on the store that the argument `--store` names, or else the environment.
    /// `parser` is the whole command line, for what describes it.
    pub(crate) async fn run(&self, store: Option<&str>, parser: clap::Command) -> Result<Found, Failure> {
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
            Self::Check(args) => check::run(args, store).await,
            Self::Spool(command) => spool::run(command, store),
            Self::Score(args) => score::run(&url()?, args).await,
            Self::Export(args) => export::run(&url()?, args).await,
            Self::Import(args) => import::run(&url()?, args).await,
            Self::Completions(args) => completions::run(args, parser),
            Self::Man(args) => man::run(args, parser),
        }
    }
}
