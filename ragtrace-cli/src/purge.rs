//! `ragtrace purge`: erases a person.

use std::io::Write;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use ragtrace::spool::{self, DeadLetter, DeadLetters, PurgedSpool};
use ragtrace_store as store;
use ragtrace_store::retention::{Purge, PurgeReport};

use crate::output::{Failure, Found, Output, tell};
use crate::setting;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Whom to erase: every trace with a record of this user.
    #[arg(long, visible_alias = "user-id", value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    user: String,
    /// The folder of a spool, where what waits for delivery and the dead letters of that user are
    /// erased too. What a running process holds there cannot be reached: purge again once that
    /// process has ended, or delivered it. If not given it is `RAGTRACE_SPOOL` of the environment.
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    // What waits goes first, so that it does not arrive behind the purge.
    let spool = setting::spool(args.spool.clone());
    let spooled =
        spool.as_deref().map_or(Ok(PurgedSpool::default()), |spool| spool::purge(spool, &args.user, args.dry_run))?;
    let letters = spool.as_deref().map_or(Ok(0), |spool| dead_letters(spool, &args.user, args.dry_run))?;
    // Drawn on standard error, and only if that is a terminal.
    let bar = ProgressBar::no_length();
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} steps  {msg}").unwrap_or(ProgressStyle::default_bar()),
    );
    let purge = Purge::of(&args.user).dry_run(args.dry_run);
    let purged = store::purge(url, &purge, |so_far| show(&bar, so_far)).await?;
    bar.finish_and_clear();
    tell_what_stays(&spooled);
    if purged.logs_set_aside > 0 {
        tell(format_args!(
            "{} logs that were set aside lie beside the file, as `…-wal.kept-1` and so on, and may hold rows of that user: \
             delete them, or put each beside its database again and purge that",
            purged.logs_set_aside
        ));
    }
    if purged.bytes_remain {
        return Err(Failure::new(format!(
            "{} rows are removed, but a program that reads the file holds its log, where their bytes still are: end what \
             reads it, and purge again",
            purged.total()
        )));
    }
    if purged.total() + spooled.records + spooled.requests == 0 && letters == 0 {
        return Ok(Found::Nothing(format!("there is nothing of the user {:?}", args.user)));
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
            "the bytes of removed rows stay in PostgreSQL's files until others are written over them: \
            `VACUUM (FULL)` over logs, logs_archive, request_metrics and scores writes the tables anew without them"
        ));
    }
    Ok(Found::Something)
}

/// Says what of a spool could not be purged.
fn tell_what_stays(spooled: &PurgedSpool) {
    if spooled.slots_in_use > 0 {
        tell(format_args!(
            "{} running processes hold their part of the spool: purge again once they have ended",
            spooled.slots_in_use
        ));
    }
    if spooled.files_set_aside > 0 {
        tell(format_args!(
            "{} files of the spool could not be read when a program began, and stay, whosever records they hold: remove \
            `slot-*/spool.redb.corrupt-*`",
            spooled.files_set_aside
        ));
    }
    if spooled.unreadable > 0 {
        tell(format_args!(
            "{} batches and dead letters of the spool cannot be read, and stay, whosever they are: the next program that \
            uses it drops those batches, and the letters are lines of `dead-letters.jsonl`",
            spooled.unreadable
        ));
    }
}

fn show(bar: &ProgressBar, purged: &PurgeReport) {
    bar.set_length(purged.steps as u64);
    bar.set_position(purged.steps_done as u64);
    bar.set_message(format!("{} rows", purged.total()));
}

/// How many dead letters were the user's.
fn dead_letters(spool: &Path, user: &str, dry_run: bool) -> std::io::Result<usize> {
    let letters = DeadLetters::new(spool);
    let is_of = |letter: &DeadLetter| letter.record().user_id() == Some(user);
    if dry_run {
        Ok(letters.read()?.iter().filter(|letter| is_of(letter)).count())
    } else {
        letters.retain(|l| !is_of(l))
    }
}
