//! `ragtrace retention`: archives and removes old traces.

use std::io::Write;

use indicatif::{ProgressBar, ProgressStyle};
use ragtrace_store as store;
use ragtrace_store::retention::{Retention, RetentionReport};

use crate::arguments::number;
use crate::output::{Failure, Found, Output, tell};

/// The number of free bytes in a SQLite file from which on `--shrink` is suggested.
const WORTH_TELLING: u64 = 10_000_000;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Days to keep every trace, whole days from 0 to 36500.
    #[arg(long, value_name = "DAYS", default_value = "7", value_parser = number::days, allow_negative_numbers = true)]
    days: u32,
    /// Days to keep a trace in the archive after its last record, from 0 to 36500.
    #[arg(long, value_name = "DAYS", default_value = "30", value_parser = number::days, allow_negative_numbers = true)]
    archive_days: u32,
    /// Days to keep the list of finished traces and the stages' counts, from 0 to 36500.
    #[arg(long, value_name = "DAYS", default_value = "90", value_parser = number::days, allow_negative_numbers = true)]
    metrics_days: u32,
    /// Share of the traces without an error to move to the archive, from 0 to 1.
    #[arg(long, value_name = "RATIO", default_value = "0.1", value_parser = number::ratio, allow_negative_numbers = true)]
    sample: f64,
    /// Treat traces with an error like all others. By default each of them moves to the archive.
    #[arg(long)]
    forget_errors: bool,
    /// Rewrite a SQLite file to give its free space back to the disk.
    ///
    /// Programs that write to the file wait meanwhile, and the disk needs as much space again as
    /// the file takes. Has no effect on PostgreSQL.
    #[arg(long)]
    shrink: bool,
    /// Report what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let retention = Retention::new().days(args.days).archive_days(args.archive_days).metrics_days(args.metrics_days);
    let retention = retention.sample(args.sample).keep_errors(!args.forget_errors).dry_run(args.dry_run);
    let retention = retention.shrink(args.shrink);
    // The bar is drawn on standard error, and only if that is a terminal.
    let bar = ProgressBar::no_length();
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} days  {msg}").unwrap_or(ProgressStyle::default_bar()),
    );
    let report = store::retain(url, &retention, |so_far| show(&bar, so_far)).await?;
    bar.finish_and_clear();
    if report.free_bytes > WORTH_TELLING && !args.dry_run {
        tell(format_args!(
            "{} MB of the file are free for new records: `--shrink` gives them back to the disk",
            report.free_bytes / 1_000_000
        ));
    }
    if report.is_running_elsewhere {
        return Err(Failure::new("another retention job is running on this store: try again when it has ended"));
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
