//! `ragtrace stats`: summarizes each stage over a time window.

mod compared;
mod costs;
mod retrieval;
mod trend;

use std::time::Duration;

use ragtrace::Timestamp;
use ragtrace_store::{self as store, GroupBy, LogStore, Window};

use self::compared::Compared;
use crate::arguments::time;
use crate::output::{Failure, Format, Found};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Start of the window: an age such as `90m`, `24h` or `7d`, or a time.
    ///
    /// An age is a whole number and a unit: s, m, h, d or w. A time is written as in
    /// 2026-11-22T08:20:11Z, 2026-11-22T10:20:11+02:00 or 2026-11-22; without a zone it is UTC. The
    /// window is widened to whole minutes.
    #[arg(long, value_name = "WHEN", value_parser = time::parse, default_value = "24h")]
    since: Timestamp,
    /// End of the window, written as for `--since` [default: now]
    #[arg(long, value_name = "WHEN", value_parser = time::parse)]
    until: Option<Timestamp>,
    /// Split the numbers of each stage. Numbers by user come from the records that are stored; all
    /// others include runs whose records a level or sampling left out.
    #[arg(long, value_enum, value_name = "PART")]
    by: Option<By>,
    /// Show how much the retrieving stages found: runs without a result, and best scores.
    #[arg(long, conflicts_with_all = ["by", "costs"])]
    retrieval: bool,
    /// Show costs and tokens by tenant and model.
    #[arg(long, conflicts_with = "by")]
    costs: bool,
    /// Leave out the comparison with the window of the same length before.
    #[arg(long)]
    no_compare: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The part by which the numbers of a stage are split.
#[derive(Clone, Copy, clap::ValueEnum)]
enum By {
    Tenant,
    User,
    Version,
}

impl From<By> for GroupBy {
    fn from(by: By) -> Self {
        match by {
            By::Tenant => Self::Tenant,
            By::User => Self::User,
            By::Version => Self::Version,
        }
    }
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    time::check_window(Some(args.since), args.until).map_err(Failure::new)?;
    let window = Window::new(args.since, args.until.unwrap_or_else(Timestamp::now));
    let store = store::open(url).await?;
    if args.costs {
        return costs::write(args.format, &store.costs(window).await?);
    }
    if args.retrieval {
        return retrieval::write(args.format, &store.retrieval_stats(window).await?);
    }
    let rows = compared(&store, args, window).await?;
    if rows.iter().all(|row| row.now.is_none()) {
        return Found::nothing_listed(args.format, "no stage ended in that time");
    }
    compared::write(args.format, rows, args.by.is_some(), !args.no_compare)
}

/// Returns the stages of the window, each with its numbers in the window before.
async fn compared(store: &LogStore, args: &Args, window: Window) -> Result<Vec<Compared>, Failure> {
    let stats = async |window| match args.by {
        Some(by) => store.stage_stats_by(window, by.into()).await,
        None => store.stage_stats(window).await,
    };
    let now = stats(window).await?;
    let before = if args.no_compare { Vec::new() } else { stats(before(window)).await? };
    Ok(Compared::all(now, before))
}

/// Returns the window of the same length that ends where this one begins.
fn before(window: Window) -> Window {
    let length = window.until().as_micros().saturating_sub(window.since().as_micros());
    let length = Duration::from_micros(u64::try_from(length).unwrap_or(0));
    Window::new(window.since().minus(length), window.since())
}
