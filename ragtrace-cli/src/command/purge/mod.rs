//! `ragtrace purge`: erases everything that was recorded about one user.

mod actor;
mod audit;

use std::io::Write;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use ragtrace::spool::{self, DeadLetter, DeadLetters, PurgedSpool};
use ragtrace_store as store;
use ragtrace_store::retention::{Purge, PurgeReport};

use crate::arguments::{number, setting};
use crate::output::{Failure, Format, Found, Output, tell};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Id of the user to erase: every trace with a record of this user, and scores this user gave.
    #[arg(long, visible_alias = "user-id", value_name = "ID", required_unless_present = "list", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    user: Option<String>,
    /// Folder of a spool, to erase the user's undelivered records and dead letters there too.
    ///
    /// Without this option the folder comes from the environment variable `RAGTRACE_SPOOL`; if that
    /// is not set either, no spool is purged. Records that a running process holds in the spool
    /// cannot be reached: purge again after that process has ended or delivered them.
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    /// Report what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// Reference for the line that the purge leaves in the store's audit, such as the number of a
    /// ticket. It must not contain the user's id.
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// Who erases the data, for the audit [default: the system's user and the host]
    #[arg(long, value_name = "TEXT")]
    actor: Option<String>,
    /// Erase nothing, and list the lines that purges have left, newest first: when, by whom, the
    /// SHA-256 of the user's id, and how much was removed.
    #[arg(long, conflicts_with_all = ["user", "dry_run", "spool", "reference", "actor"])]
    list: bool,
    /// Show at most this many lines with `--list`.
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = number::limit, allow_negative_numbers = true)]
    limit: usize,
    /// Output format of `--list`.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    match &args.user {
        Some(user) if !args.list => erase(url, args, user).await,
        _ => audit::run(url, args.limit, args.format).await,
    }
}

/// Returns the rules of the purge, with what its line of the audit says.
fn rules(args: &Args, user: &str, spooled: &PurgedSpool, letters: usize) -> Purge {
    let actor = args.actor.clone().unwrap_or_else(|| actor::name(user));
    let purge = Purge::of(user).dry_run(args.dry_run).actor(actor);
    let purge = purge.also_removed("spooled", spooled.records).also_removed("dead_letters", letters as u64);
    match &args.reference {
        Some(reference) => purge.reference(reference),
        None => purge,
    }
}

async fn erase(url: &str, args: &Args, user: &str) -> Result<Found, Failure> {
    for (name, text) in [("--reference", &args.reference), ("--actor", &args.actor)] {
        if text.as_deref().is_some_and(|text| actor::mentions(text, user)) {
            let message = format!("`{name}` contains the id of the user to erase, and would keep it: leave the id out");
            return Err(Failure::new(message));
        }
    }
    // The spool is purged first, so that its records are not delivered after the store was purged.
    let spool = setting::spool(args.spool.clone());
    let spooled =
        spool.as_deref().map_or(Ok(PurgedSpool::default()), |spool| spool::purge(spool, user, args.dry_run))?;
    let letters = spool.as_deref().map_or(Ok(0), |spool| dead_letters(spool, user, args.dry_run))?;
    // The bar is drawn on standard error, and only if that is a terminal.
    let bar = ProgressBar::no_length();
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} steps  {msg}").unwrap_or(ProgressStyle::default_bar()),
    );
    let purge = rules(args, user, &spooled, letters);
    let purged = store::purge(url, &purge, |so_far| show(&bar, so_far)).await?;
    bar.finish_and_clear();
    tell_what_stays(&spooled);
    if purged.logs_set_aside > 0 {
        tell(format_args!(
            "{} write-ahead logs were set aside in the file's folder (`…-wal.kept-1` and so on) and may contain rows of this user: \
             delete them, or put each back beside its database and purge that one",
            purged.logs_set_aside
        ));
    }
    if purged.bytes_remain {
        return Err(Failure::new(format!(
            "{} rows are removed, but their bytes remain in the write-ahead log, which a program that reads the file holds: \
             stop that program, and purge again",
            purged.total()
        )));
    }
    if purged.total() + spooled.records + spooled.requests == 0 && letters == 0 {
        return Ok(Found::Nothing(format!("nothing is recorded about the user {user:?}")));
    }
    let verb = if args.dry_run { "would be removed" } else { "removed" };
    let mut out = Output::new().writer;
    writeln!(
        out,
        "{verb}: {} log rows, {} archived rows, {} finished traces, {} scores, {} waiting records, {letters} dead letters",
        purged.logs, purged.archived, purged.requests, purged.scores, spooled.records
    )?;
    out.flush()?;
    if url.starts_with("postgres") && purged.total() > 0 && !args.dry_run {
        tell(format_args!(
            "the bytes of removed rows stay in PostgreSQL's files until new rows overwrite them: \
            `VACUUM (FULL)` on logs, logs_archive, request_metrics and scores rewrites the tables without them"
        ));
    }
    Ok(Found::Something)
}

/// Tells which parts of a spool could not be purged.
fn tell_what_stays(spooled: &PurgedSpool) {
    if spooled.slots_in_use > 0 {
        tell(format_args!(
            "{} running processes hold their part of the spool: purge again when they have ended",
            spooled.slots_in_use
        ));
    }
    if spooled.files_set_aside > 0 {
        tell(format_args!(
            "{} files of the spool could not be read when a program started, and may hold records of this user: \
            remove `slot-*/spool.redb.corrupt-*`",
            spooled.files_set_aside
        ));
    }
    if spooled.unreadable > 0 {
        tell(format_args!(
            "{} batches and dead letters of the spool cannot be read, and may hold records of this user: the \
            next program that uses the spool drops the batches; remove the letters from `dead-letters.jsonl`",
            spooled.unreadable
        ));
    }
}

fn show(bar: &ProgressBar, purged: &PurgeReport) {
    bar.set_length(purged.steps as u64);
    bar.set_position(purged.steps_done as u64);
    bar.set_message(format!("{} rows", purged.total()));
}

/// Removes the user's dead letters and returns their number. A dry run only counts them.
fn dead_letters(spool: &Path, user: &str, dry_run: bool) -> std::io::Result<usize> {
    let letters = DeadLetters::new(spool);
    let is_of = |letter: &DeadLetter| letter.record().user_id() == Some(user);
    if dry_run {
        Ok(letters.read()?.iter().filter(|letter| is_of(letter)).count())
    } else {
        letters.retain(|l| !is_of(l))
    }
}
