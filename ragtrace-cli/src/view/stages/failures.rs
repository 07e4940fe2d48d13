//! The newest failures of a stage.

use maud::{Markup, html};
use ragtrace::Event;
use ragtrace_store::{LogFilter, LogRow, LogStore, StoreError};

use crate::view::params::Params;
use crate::view::period::Period;
use crate::view::show;

const ROWS: usize = 20;

pub(super) async fn newest(store: &LogStore, stage: &str, period: Period) -> Result<Vec<LogRow>, StoreError> {
    let filter = LogFilter::new().stage(stage).event(Event::Failed).since(period.since).until(period.until);
    store.errors(filter.limit(ROWS)).await
}

pub(super) fn table(rows: &[LogRow], stage: &str, params: &Params) -> Markup {
    if rows.is_empty() {
        return html! {};
    }
    let mut all = Params::default().with("stage", Some(stage));
    for name in ["since", "until"] {
        all = all.with(name, params.get(name));
    }
    html! {
        h2 { "Newest failures" }
        div.table {
            table {
                thead { tr { th scope="col" { "Time (UTC)" } th scope="col" { "Error" } th.number scope="col" { "After" } th scope="col" { "User" } th scope="col" { "Trace" } } }
                tbody {
                    @for row in rows {
                        tr {
                            td { (show::time(row.timestamp())) }
                            td.message { (show::error(row)) }
                            td.number { @match row.duration() { Some(duration) => (show::duration(duration)), None => (show::absent()) } }
                            td.cut { @match row.user_id() { Some(user) => (show::text(user, 40)), None => (show::absent()) } }
                            td { (show::trace_of(row)) }
                        }
                    }
                }
            }
        }
        p { a href=(all.href("/errors")) { "All errors of this stage" } }
    }
}
