//! Writes groups of errors.

use std::io;

use ragtrace_store::ErrorGroup;

use crate::output::list::{self, Column};
use crate::output::{Format, Output};

pub(super) fn write(output: &mut Output, format: Format, groups: &[ErrorGroup]) -> io::Result<()> {
    list::write(output, format, groups, &COLUMNS, ErrorGroup::to_json)
}

const COLUMNS: [Column<ErrorGroup>; 7] = [
    Column::number("errors", |group| group.count().to_string()),
    Column::number("users", |group| group.users().to_string()),
    Column::exact("last seen", |group| list::time(group.last_seen())),
    Column::exact("first seen", |group| list::time(group.first_seen())),
    Column::text("stage", |group| group.stage().unwrap_or("-").to_owned()),
    Column::text("error", about),
    Column::exact("example", |group| group.example().map_or_else(|| "-".to_owned(), |id| id.to_string())),
];

/// Returns the type and the message of a group's errors.
pub(super) fn about(group: &ErrorGroup) -> String {
    match group.error_type() {
        Some(error_type) => format!("{error_type}: {}", group.message()),
        None => group.message().to_owned(),
    }
}
