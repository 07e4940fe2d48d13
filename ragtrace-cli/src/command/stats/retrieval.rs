//! How much retrieving stages found.

use ragtrace_store::RetrievalStats;

use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};

pub(super) fn write(format: Format, rows: &[RetrievalStats]) -> Result<Found, Failure> {
    if rows.is_empty() {
        return Found::nothing_listed(format, "no retrieving stage completed in that time");
    }
    list::write(&mut Output::new(), format, rows, &COLUMNS, RetrievalStats::to_json)?;
    Ok(Found::Something)
}

const COLUMNS: [Column<RetrievalStats>; 7] = [
    Column::text("stage", |row| row.stage().to_owned()),
    Column::exact("kind", |row| row.kind().to_owned()),
    Column::number("runs", |row| row.runs().to_string()),
    Column::number("empty", |row| row.empty().to_string()),
    Column::number("empty rate", |row| format!("{:.1}%", row.empty_rate() * 100.0)),
    Column::number("mean top score", |row| score(row.mean_top_score())),
    Column::number("least top score", |row| score(row.least_top_score())),
];

fn score(score: Option<f64>) -> String {
    score.map_or_else(|| "-".to_owned(), |score| format!("{score:.3}"))
}
