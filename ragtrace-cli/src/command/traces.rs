//! `ragtrace traces`: lists finished traces, newest first.

use std::time::Duration;

use ragtrace::Timestamp;
use ragtrace::metrics::RunStatus;
use ragtrace_store::{self as store, Position, TraceFilter, TraceSummary, format_duration};

use crate::arguments::filter::IdentityFilter;
use crate::arguments::{duration, number, time};
use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output, tell};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    identity: IdentityFilter,
    /// Filter by operation: the name of the stage in which the trace began in its process.
    #[arg(long, visible_alias = "stage", value_name = "NAME")]
    operation: Option<String>,
    /// Filter by outcome.
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// Show traces whose root stage took at least this long, such as `250ms` or `1.5s`.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    longer_than: Option<Duration>,
    /// Show traces in which this stage ran, at any depth.
    #[arg(long, value_name = "STAGE")]
    ran: Option<String>,
    /// Show traces with this text in the type or message of an error, in any case.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    error: Option<String>,
    /// Show traces with a record that has this field, such as `doc.name=report.pdf`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    field: Vec<(String, String)>,
    /// Show traces that ended at or after this time: an age such as `90m`, `24h` or `7d`, or a
    /// time.
    ///
    /// An age is a whole number and a unit: s, m, h, d or w. A time is written as in
    /// 2026-11-22T08:20:11Z, 2026-11-22T10:20:11+02:00 or 2026-11-22; without a zone it is UTC.
    #[arg(long, value_name = "WHEN", value_parser = time::parse)]
    since: Option<Timestamp>,
    /// Show traces that ended before this time, written as for `--since`.
    #[arg(long, value_name = "WHEN", value_parser = time::parse)]
    until: Option<Timestamp>,
    /// Show the next page: the position is in the line that a full page prints on standard error.
    #[arg(long, value_name = "POSITION")]
    after: Option<Position>,
    /// Show at most this many traces.
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = number::limit, allow_negative_numbers = true)]
    limit: usize,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Status {
    Completed,
    Failed,
    Cancelled,
}

/// Parses a field as `NAME=VALUE`.
fn field(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = parts.ok_or("give a name and a value, such as doc.name=report.pdf")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Args {
    fn filter(&self) -> TraceFilter {
        let mut filter = self.identity.traces(TraceFilter::new().limit(self.limit));
        if let Some(operation) = &self.operation {
            filter = filter.operation(operation);
        }
        if let Some(status) = self.status {
            filter = filter.status(match status {
                Status::Completed => RunStatus::Completed,
                Status::Failed => RunStatus::Failed,
                Status::Cancelled => RunStatus::Cancelled,
            });
        }
        if let Some(at_least) = self.longer_than {
            filter = filter.longer_than(at_least);
        }
        if let Some(stage) = &self.ran {
            filter = filter.ran(stage);
        }
        if let Some(text) = &self.error {
            filter = filter.error(text);
        }
        for (name, value) in &self.field {
            filter = filter.field(name, value);
        }
        if let Some(since) = self.since {
            filter = filter.since(since);
        }
        if let Some(until) = self.until {
            filter = filter.until(until);
        }
        if let Some(after) = self.after {
            filter = filter.after(after);
        }
        filter
    }
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    time::check_window(args.since, args.until).map_err(Failure::new)?;
    let found = store::open(url).await?.traces(args.filter()).await?;
    let Some(last) = found.last() else {
        return Found::nothing_listed(args.format, "no traces match");
    };
    list::write(&mut Output::new(), args.format, &found, &COLUMNS, TraceSummary::to_json)?;
    if found.len() == args.limit && args.format == Format::Table {
        tell(format_args!("there may be more: add `--after {}`", last.position()));
    }
    Ok(Found::Something)
}

const COLUMNS: [Column<TraceSummary>; 7] = [
    Column::exact("ended", |row| list::time(row.ended_at())),
    Column::exact("status", |row| row.status().to_string()),
    Column::text("operation", |row| row.operation().to_owned()),
    Column::number("took", |row| format_duration(row.duration())),
    Column::text("user", |row| row.user_id().unwrap_or("-").to_owned()),
    Column::text("tenant", |row| row.tenant_id().unwrap_or("-").to_owned()),
    Column::exact("trace", |row| row.trace_id().to_string()),
];
