//! `ragtrace errors`: lists records of level ERROR, newest first.

use ragtrace_store as store;

use crate::arguments::filter::RecordArgs;
use crate::output::rows;
use crate::output::{Failure, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    records: RecordArgs,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let filter = args.records.filter()?;
    let found = store::open(url).await?.errors(filter).await?;
    if found.is_empty() {
        return Found::nothing_listed(args.records.format, "no errors match");
    }
    rows::write(&mut Output::new(), args.records.format, &found)?;
    Ok(Found::Something)
}
