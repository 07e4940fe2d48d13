//! `ragtrace stats`: summarizes each stage over a time window.

use ragtrace::Timestamp;
use ragtrace_store::{self as store, StageStats, Window};

use crate::arguments::time;
use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};

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
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    time::check_window(Some(args.since), args.until).map_err(Failure::new)?;
    let window = Window::new(args.since, args.until.unwrap_or_else(Timestamp::now));
    let found = store::open(url).await?.stage_stats(window).await?;
    if found.is_empty() {
        return Found::nothing_listed(args.format, "no stage ended in that time");
    }
    list::write(&mut Output::new(), args.format, &found, &COLUMNS, StageStats::to_json)?;
    Ok(Found::Something)
}

const COLUMNS: [Column<StageStats>; 10] = [
    Column::text("stage", |row| row.stage().to_owned()),
    Column::exact("kind", |row| row.kind().to_owned()),
    Column::number("runs", |row| row.runs().to_string()),
    Column::number("failed", |row| row.failed().to_string()),
    Column::number("cancelled", |row| row.cancelled().to_string()),
    Column::number("items", |row| row.items().to_string()),
    Column::number("cost", |row| format!("${:.4}", row.cost_usd())),
    Column::number("p50", |row| quantile(row, 0.5)),
    Column::number("p95", |row| quantile(row, 0.95)),
    Column::number("p99", |row| quantile(row, 0.99)),
];

fn quantile(stats: &StageStats, q: f64) -> String {
    stats.quantile(q).map_or_else(|| "-".to_owned(), list::duration)
}
