//! Errors one by one, newest first.

use maud::{Markup, html};
use ragtrace_store::LogRow;

use super::filter::PATH;
use crate::view::list;
use crate::view::params::Params;
use crate::view::show;

pub(super) fn table(rows: &[LogRow], params: &Params) -> Markup {
    let value = |name, value: Option<&str>| match value {
        Some(value) => list::only(params, PATH, (name, value), 60),
        None => show::absent(),
    };
    html! {
        div.table {
            table {
                caption.aside-text { "Errors, newest first" }
                thead { tr { th scope="col" { "Time (UTC)" } th scope="col" { "Stage" } th scope="col" { "Error" } th scope="col" { "User" } th scope="col" { "Tenant" } th scope="col" { "Trace" } } }
                tbody {
                    @for row in rows {
                        tr {
                            td { (show::time(row.timestamp())) }
                            td.cut { (value("stage", row.stage())) }
                            td.message { (show::error(row)) }
                            td.cut { (value("user", row.user_id())) }
                            td.cut { (value("tenant", row.tenant_id())) }
                            td { (show::trace_of(row)) }
                        }
                    }
                }
            }
        }
    }
}
