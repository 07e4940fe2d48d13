//! `ragtrace stats`: what each stage did over a while.

use ragtrace::Timestamp;
use ragtrace_store::{self as store, StageStats, Window};

use crate::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};
use crate::time;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Ended not before this time: `24h`, `90m`, `7d` ago, or a time such as 2026-11-22T08:20:11Z.
    #[arg(long, value_name = "WHEN", value_parser = time::parse, default_value = "24h")]
    since: Timestamp,
    /// Ended before this time, given likewise.
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
        return Found::nothing_listed(args.format, "no stage has ended in that time");
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
