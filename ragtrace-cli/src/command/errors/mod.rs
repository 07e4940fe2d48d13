//! `ragtrace errors`: groups errors by what they are about, or lists them.

mod groups;
mod watch;

use ragtrace_store as store;

use self::watch::Watch;
use crate::arguments::number;
use crate::arguments::selection::SharedFilter;
use crate::output::rows;
use crate::output::{Failure, Format, Found, Output, tell};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    records: SharedFilter,
    /// List the errors one by one, newest first, with their sources.
    #[arg(long, conflicts_with = "watch")]
    list: bool,
    /// Keep looking, until interrupted. A terminal shows all groups anew; elsewhere a line is
    /// written for each group that is new or has grown.
    #[arg(long)]
    watch: bool,
    /// Show at most this many groups or errors.
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = number::limit, allow_negative_numbers = true)]
    limit: usize,
    /// Output format. With `--watch`, `json` is written as `jsonl`, since the list has no end.
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
    if args.watch {
        return Watch::new(&store, selection.filter(), args.limit, args.format).run().await;
    }
    if args.list {
        let found = store.errors(selection.filter().limit(args.limit)).await?;
        if found.is_empty() {
            return Found::nothing_listed(args.format, "no errors match");
        }
        rows::write(&mut Output::new(), args.format, &found)?;
        return Ok(Found::Something);
    }
    let found = store.error_groups(selection.filter()).await?;
    if found.groups().is_empty() {
        return Found::nothing_listed(args.format, "no errors match");
    }
    let shown = &found.groups()[..args.limit.min(found.groups().len())];
    groups::write(&mut Output::new(), args.format, shown)?;
    if found.is_truncated() {
        tell("there are more than 100,000 errors, of which the newest are grouped: narrow the time with `--since`");
    }
    Ok(Found::Something)
}
