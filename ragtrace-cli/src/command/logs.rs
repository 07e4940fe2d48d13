//! `ragtrace logs`: lists records, newest first.

use ragtrace_store as store;

use crate::arguments::number;
use crate::arguments::selection::RecordFilter;
use crate::output::rows;
use crate::output::{Failure, Format, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    records: RecordFilter,
    /// Show at most this many records.
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = number::limit, allow_negative_numbers = true)]
    limit: usize,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    args.records.check()?;
    let store = store::open(url).await?;
    let selection = match args.records.select(&store).await? {
        Ok(selection) => selection,
        Err(why) => return Found::nothing_listed(args.format, why),
    };
    let found = store.logs(selection.filter().limit(args.limit)).await?;
    if found.is_empty() {
        return Found::nothing_listed(args.format, "no records match");
    }
    rows::write(&mut Output::new(), args.format, &found)?;
    Ok(Found::Something)
}
