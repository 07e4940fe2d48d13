//! `ragtrace logs`: lists records, newest first.

use ragtrace::Level;
use ragtrace_store as store;

use crate::arguments::filter::RecordArgs;
use crate::arguments::find;
use crate::output::rows;
use crate::output::{Failure, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Filter by trace: its id, the first digits of it, or `last` for the newest.
    #[arg(long, visible_alias = "trace-id", value_name = "ID")]
    trace: Option<String>,
    /// Filter by request id.
    #[arg(long, visible_alias = "request-id", value_name = "ID")]
    request: Option<String>,
    /// Show records of at least this severity: trace, debug, info, warn or error.
    #[arg(long)]
    level: Option<Level>,
    #[command(flatten)]
    records: RecordArgs,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let mut filter = args.records.filter()?;
    let store = store::open(url).await?;
    if let Some(named) = &args.trace {
        match find::trace(&store, named).await? {
            Ok(id) => filter = filter.trace_id(id),
            Err(why) => return Found::nothing_listed(args.records.format, why),
        }
    }
    if let Some(request) = &args.request {
        filter = filter.request_id(request);
    }
    if let Some(level) = args.level {
        filter = filter.level(level);
    }
    let found = store.logs(filter).await?;
    if found.is_empty() {
        return Found::nothing_listed(args.records.format, "no records match");
    }
    rows::write(&mut Output::new(), args.records.format, &found)?;
    Ok(Found::Something)
}
