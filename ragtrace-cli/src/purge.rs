//! `ragtrace purge`: erases a person.

use std::path::{Path, PathBuf};

use ragtrace::spool::{DeadLetter, DeadLetters};
use ragtrace_sinks::retention;

use crate::output::{Failure, Found};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Whom to erase: every trace with a record of this user.
    #[arg(long, value_name = "ID")]
    user: String,
    /// The folder of a spool, whose dead letters of that user are erased too. What still waits there for delivery is
    /// not: purge again once it has arrived.
    #[arg(long, value_name = "FOLDER", env = "RAGTRACE_SPOOL")]
    spool: Option<PathBuf>,
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let purged = retention::purge(url, &args.user, args.dry_run).await?;
    let letters = args.spool.as_deref().map_or(Ok(0), |spool| dead_letters(spool, &args.user, args.dry_run))?;
    if purged.total() == 0 && letters == 0 {
        return Ok(Found::Nothing(format!("there is nothing of the user {:?}", args.user)));
    }
    let verb = if args.dry_run { "would be removed" } else { "removed" };
    println!(
        "{verb}: {} log rows, {} archived rows, {} requests, {letters} dead letters",
        purged.logs, purged.archived, purged.requests
    );
    Ok(Found::Something)
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
