//! Costs by tenant and model.

use ragtrace_store::{CostRow, format_cost};

use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};

pub(super) fn write(format: Format, rows: &[CostRow]) -> Result<Found, Failure> {
    if rows.is_empty() {
        return Found::nothing_listed(format, "no stage recorded a cost or tokens in that time");
    }
    list::write(&mut Output::new(), format, rows, &COLUMNS, CostRow::to_json)?;
    Ok(Found::Something)
}

const COLUMNS: [Column<CostRow>; 8] = [
    Column::text("tenant", |row| row.tenant_id().unwrap_or("-").to_owned()),
    Column::text("model", |row| row.model().unwrap_or("-").to_owned()),
    Column::text("provider", |row| row.provider().unwrap_or("-").to_owned()),
    Column::number("runs", |row| row.runs().to_string()),
    Column::number("input", |row| row.input_tokens().to_string()),
    Column::number("output", |row| row.output_tokens().to_string()),
    Column::number("cached", |row| row.cached_tokens().to_string()),
    Column::number("cost", |row| format_cost(row.cost_usd())),
];
