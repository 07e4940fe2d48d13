//! `ragtrace inflight`: lists the stages that are running now.

use ragtrace::Timestamp;
use ragtrace_store::{self as store, LogRow, format_duration};

use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let found = store::open(url).await?.inflight().await?;
    if found.is_empty() {
        return Found::nothing_listed(args.format, "no stage is running");
    }
    list::write(&mut Output::new(), args.format, &found, &COLUMNS, LogRow::to_json)?;
    Ok(Found::Something)
}

const COLUMNS: [Column<LogRow>; 5] = [
    Column::number("running", |row| format_duration(Timestamp::now().since(row.timestamp()))),
    Column::text("stage", |row| row.stage().unwrap_or("?").to_owned()),
    Column::text("user", |row| row.user_id().unwrap_or("-").to_owned()),
    Column::text("tenant", |row| row.tenant_id().unwrap_or("-").to_owned()),
    Column::exact("trace", |row| row.trace_id().map_or_else(|| "-".to_owned(), |id| id.to_string())),
];
