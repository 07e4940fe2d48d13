//! `ragtrace retention`: moves and removes what is old.

use std::io::Write;

use indicatif::{ProgressBar, ProgressStyle};
use ragtrace_store as store;
use ragtrace_store::retention::{Retention, RetentionReport};

use crate::number;
use crate::output::{Failure, Found, Output, tell};

/// So many free bytes of a file are worth a word.
const WORTH_TELLING: u64 = 10_000_000;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Whole days that every trace is kept.
    #[arg(long, value_name = "DAYS", default_value = "7", value_parser = number::days, allow_negative_numbers = true)]
    days: u32,
    /// Days that a trace stays in the archive after its last record.
    #[arg(long, value_name = "DAYS", default_value = "30", value_parser = number::days, allow_negative_numbers = true)]
    archive_days: u32,
    /// Days that requests and counts are kept.
    #[arg(long, value_name = "DAYS", default_value = "90", value_parser = number::days, allow_negative_numbers = true)]
    metrics_days: u32,
    /// The ratio of traces without an error that go to the archive, 0 to 1.
    #[arg(long, value_name = "RATIO", default_value = "0.1", value_parser = number::ratio, allow_negative_numbers = true)]
    sample: f64,
    /// Treat traces with an error like all others, instead of keeping each in the archive.
    #[arg(long)]
    forget_errors: bool,
    /// Give the room that is free in a SQLite file back to the disk, by writing the file anew:
    /// programs that write to it wait meanwhile, and the disk needs as much room again.
    #[arg(long)]
    shrink: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let retention = Retention::new().days(args.days).archive_days(args.archive_days).metrics_days(args.metrics_days);
    let retention = retention.sample(args.sample).keep_errors(!args.forget_errors).dry_run(args.dry_run);
    let retention = retention.shrink(args.shrink);
    // Drawn on standard error, and only if that is a terminal.
    let bar = ProgressBar::no_length();
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} days  {msg}").unwrap_or(ProgressStyle::default_bar()),
    );
    let report = store::retain(url, &retention, |so_far| show(&bar, so_far)).await?;
    bar.finish_and_clear();
    if report.free_bytes > WORTH_TELLING && !args.dry_run {
        tell(format_args!(
            "{} MB of the file are free, and used before it grows: `--shrink` gives them back",
            report.free_bytes / 1_000_000
        ));
    }
    if report.is_running_elsewhere {
        return Err(Failure::new("another retention job is running on this store"));
    }
    let verb = if args.dry_run { "would be " } else { "" };
    let mut out = Output::new().writer;
    writeln!(
        out,
        "{} days: {} traces {verb}archived, {} {verb}removed; {} {verb}expired from the archive",
        report.days.len(),
        report.archived,
        report.removed,
        report.expired
    )?;
    out.flush()?;
    Ok(Found::Something)
}

fn show(bar: &ProgressBar, report: &RetentionReport) {
    bar.set_length(report.days_in_all as u64);
    bar.set_position(report.days.len() as u64);
    bar.set_message(format!("{} archived, {} removed", report.archived, report.removed));
}
