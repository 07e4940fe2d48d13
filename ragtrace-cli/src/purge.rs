//! `ragtrace purge`: erases a person.

use ragtrace_sinks::retention;

use crate::output::{Failure, Found};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Whom to erase: every trace with a record of this user.
    #[arg(long, value_name = "ID")]
    user: String,
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let purged = retention::purge(url, &args.user, args.dry_run).await?;
    if purged.total() == 0 {
        return Ok(Found::Nothing(format!("there is nothing of the user {:?}", args.user)));
    }
    let verb = if args.dry_run { "would be removed" } else { "removed" };
    println!("{verb}: {} log rows, {} archived rows, {} requests", purged.logs, purged.archived, purged.requests);
    Ok(Found::Something)
}
