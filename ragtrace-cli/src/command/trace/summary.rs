//! The totals of a trace by stage, as a table.

use ragtrace_store::{StageTotals, Trace, format_duration};

use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};

pub(super) fn run(trace: &Trace, format: Format) -> Result<Found, Failure> {
    let totals = trace.stage_totals();
    if totals.is_empty() {
        return Found::nothing_listed(format, "no stage ran in the trace");
    }
    list::write(&mut Output::new(), format, &totals, &COLUMNS, StageTotals::to_json)?;
    Ok(Found::Something)
}

const COLUMNS: [Column<StageTotals>; 8] = [
    Column::text("stage", |row| row.stage().to_owned()),
    Column::number("runs", |row| row.runs().to_string()),
    Column::number("total", |row| format_duration(row.duration())),
    Column::number("self", |row| format_duration(row.self_time())),
    Column::number("critical", |row| format_duration(row.critical_time())),
    Column::number("errors", |row| row.failed().to_string()),
    Column::number("items", |row| row.count().map_or_else(|| "-".to_owned(), |count| count.to_string())),
    Column::number("cost", |row| row.cost_usd().map_or_else(|| "-".to_owned(), |cost| format!("${cost:.4}"))),
];
