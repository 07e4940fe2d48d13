//! The filter of the list of traces, in the query and as a form.

use maud::{Markup, html};
use ragtrace::metrics::RunStatus;
use ragtrace_store::{Position, TraceFilter};

use crate::view::list::AFTER;
use crate::view::params::Params;
use crate::view::problem::Problem;

/// The address of the list.
pub(super) const PATH: &str = "/";
const STATUSES: [RunStatus; 3] = [RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled];
/// The parameters of conditions that fewer visitors use.
const RARE: [&str; 4] = ["session", "longer", "ran", "field"];

/// Reads the filter of a query.
pub(crate) fn parse(params: &Params) -> Result<TraceFilter, Problem> {
    let mut filter = people(TraceFilter::new(), params);
    if let Some(operation) = params.get("operation") {
        filter = filter.operation(operation);
    }
    if let Some(status) = params.parsed::<RunStatus>("status", "completed, failed or cancelled")? {
        filter = filter.status(status);
    }
    let (since, until) = params.between()?;
    if let Some(since) = since {
        filter = filter.since(since);
    }
    if let Some(until) = until {
        filter = filter.until(until);
    }
    if let Some(longer) = params.duration("longer")? {
        filter = filter.longer_than(longer);
    }
    if let Some(stage) = params.get("ran") {
        filter = filter.ran(stage);
    }
    if let Some(text) = params.get("error") {
        filter = filter.error(text);
    }
    if let Some(field) = params.get("field") {
        let pair = field.split_once('=').filter(|(name, _)| !name.trim().is_empty());
        let (name, value) =
            pair.ok_or_else(|| Problem::bad("`field` is a name and a value, as in doc.name=report.pdf"))?;
        filter = filter.field(name.trim(), value);
    }
    if let Some(after) = params.parsed::<Position>(AFTER, "a position as in the link to the next page")? {
        filter = filter.after(after);
    }
    Ok(filter)
}

fn people(mut filter: TraceFilter, params: &Params) -> TraceFilter {
    if let Some(user) = params.get("user") {
        filter = filter.user_id(user);
    }
    if let Some(tenant) = params.get("tenant") {
        filter = filter.tenant_id(tenant);
    }
    if let Some(session) = params.get("session") {
        filter = filter.session_id(session);
    }
    filter
}

/// Returns the form with the filter's fields.
pub(super) fn form(params: &Params) -> Markup {
    let value = |name: &str| params.get(name).unwrap_or_default().to_owned();
    let uses_rare = RARE.iter().any(|name| params.get(name).is_some());
    html! {
        form.filter method="get" action=(PATH) {
            label.narrow { "Status"
                select name="status" data-first-field {
                    option value="" { "any" }
                    @for status in STATUSES {
                        option value=(status.as_str()) selected[params.get("status") == Some(status.as_str())] { (status.as_str()) }
                    }
                }
            }
            label { "Operation" input name="operation" value=(value("operation")) maxlength="200"; }
            label { "User" input name="user" value=(value("user")) maxlength="200"; }
            label { "Tenant" input name="tenant" value=(value("tenant")) maxlength="200"; }
            label.wide { "Error contains" input name="error" value=(value("error")) placeholder="any text, any stage" maxlength="200"; }
            label.narrow { "Since" input name="since" value=(value("since")) placeholder="24h" maxlength="40"; }
            label.narrow { "Until" input name="until" value=(value("until")) placeholder="now" maxlength="40"; }
            button.main type="submit" { "Filter" }
            details open[uses_rare] {
                summary { "More filters" }
                div {
                    label.narrow { "Took at least" input name="longer" value=(value("longer")) placeholder="1.5s" maxlength="20"; }
                    label { "Ran the stage" input name="ran" value=(value("ran")) placeholder="at any depth" maxlength="200"; }
                    label.wide { "Field of a stage" input name="field" value=(value("field")) placeholder="doc.name=report.pdf" maxlength="400"; }
                    label { "Session" input name="session" value=(value("session")) maxlength="200"; }
                }
            }
        }
    }
}
