//! The rows of the live page, which the page and the stream of events share.

use maud::{Markup, html};
use ragtrace::{Event, Record, Timestamp};
use ragtrace_store::LogRow;

use crate::view::show;

pub(super) fn heads() -> Markup {
    html! {
        thead { tr { th scope="col" { "Time (UTC)" } th scope="col" { "Level" } th scope="col" { "Record" } th.number scope="col" { "Duration" } th.number.optional scope="col" { "Items" } th scope="col" { "User" } th.optional scope="col" { "Tenant" } th scope="col" { "Trace" } } }
    }
}

/// Returns the row of a record.
pub(super) fn line(record: &Record) -> Markup {
    let level = record.level().as_str().to_ascii_lowercase();
    html! {
        tr data-id=(record.id()) class={ "level-" (level) } {
            td { (show::time(record.timestamp())) }
            td.level { (level) }
            td.message {
                @if record.event() == Event::Log { span.muted { (show::short(record.logger(), 60)) ": " } }
                @if record.error().is_some() { (show::short(&record.message(), 80)) " " (show::error(record)) } @else { (show::text(&record.message(), 300)) }
            }
            td.number { @match record.duration() { Some(duration) => (show::duration(duration)), None => (show::absent()) } }
            td.number.optional { @match record.count() { Some(count) => (show::count(count)), None => (show::absent()) } }
            td.cut { @match record.user_id() { Some(user) => (show::text(user, 40)), None => (show::absent()) } }
            td.cut.optional { @match record.tenant_id() { Some(tenant) => (show::text(tenant, 40)), None => (show::absent()) } }
            td { (show::trace_of(record)) }
        }
    }
}

/// The largest number of running stages that are shown.
const RUNNING: usize = 50;

/// Returns the stages that run now, those that have run for the longest time first.
pub(super) fn running(rows: &[&LogRow]) -> Markup {
    let now = Timestamp::now();
    html! {
        @if rows.is_empty() { p.muted { "No stage is running, as far as the store knows." } } @else {
            div.table {
                table {
                    thead { tr { th.number scope="col" { "Running" } th scope="col" { "Stage" } th.optional scope="col" { "Started (UTC)" } th scope="col" { "User" } th.optional scope="col" { "Tenant" } th scope="col" { "Trace" } } }
                    tbody {
                        @for row in rows.iter().take(RUNNING) {
                            tr {
                                td.number { (show::duration(now.since(row.timestamp()))) }
                                td.cut { (show::text(row.stage().unwrap_or("?"), 80)) }
                                td.optional { (show::time(row.timestamp())) }
                                td.cut { @match row.user_id() { Some(user) => (show::text(user, 40)), None => (show::absent()) } }
                                td.cut.optional { @match row.tenant_id() { Some(tenant) => (show::text(tenant, 40)), None => (show::absent()) } }
                                td { (show::trace_of(row)) }
                            }
                        }
                    }
                }
            }
            @if rows.len() > RUNNING { p.muted { "and " (show::count((rows.len() - RUNNING) as u64)) " more" } }
        }
    }
}
