//! The lines that purges left.

use ragtrace_store::{self as store, AuditEntry};

use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};

pub(super) async fn run(url: &str, limit: usize, format: Format) -> Result<Found, Failure> {
    let found = store::open(url).await?.audit(limit).await?;
    if found.is_empty() {
        return Found::nothing_listed(format, "no purge has left a line");
    }
    list::write(&mut Output::new(), format, &found, &COLUMNS, AuditEntry::to_json)?;
    Ok(Found::Something)
}

const COLUMNS: [Column<AuditEntry>; 6] = [
    Column::exact("at", |entry| list::time(entry.at())),
    Column::exact("action", |entry| entry.action().to_owned()),
    Column::text("by", |entry| entry.actor().unwrap_or("-").to_owned()),
    Column::text("reference", |entry| entry.reference().unwrap_or("-").to_owned()),
    Column::text("removed", AuditEntry::details_json),
    Column::text("hash of the user", |entry| entry.subject_hash().to_owned()),
];
