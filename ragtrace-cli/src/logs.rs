//! `ragtrace logs`: records as they were written.

use ragtrace::Level;
use ragtrace_store as store;

use crate::filter::Filter;
use crate::output::{Failure, Found, Output};
use crate::{rows, trace};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Records of this trace: its id or the beginning of it, or `last`.
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// Records of this request.
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Records at least this severe: trace, debug, info, warn or error.
    #[arg(long)]
    level: Option<Level>,
    #[command(flatten)]
    filter: Filter,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let store = store::open(url).await?;
    let mut filter = args.filter.to_store();
    if let Some(named) = &args.trace {
        match trace::find(&store, named).await? {
            Ok(id) => filter = filter.trace(id),
            Err(why) => return Ok(Found::Nothing(why)),
        }
    }
    if let Some(request) = &args.request {
        filter = filter.request(request);
    }
    if let Some(level) = args.level {
        filter = filter.level(level);
    }
    let found = store.logs(filter).await?;
    if found.is_empty() {
        return Ok(Found::Nothing("no records match".to_owned()));
    }
    rows::write(&mut Output::new(), args.filter.format, &found)?;
    Ok(Found::Something)
}
