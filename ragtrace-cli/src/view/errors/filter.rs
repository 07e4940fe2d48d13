//! The filter of the page of errors, in the query.

use ragtrace_store::{LogFilter, Position};

use crate::view::list::AFTER;
use crate::view::params::Params;
use crate::view::period::Period;
use crate::view::problem::Problem;

/// The address of the page.
pub(super) const PATH: &str = "/errors";

/// Reads the filter of a query.
pub(super) fn parse(params: &Params, period: Period) -> Result<LogFilter, Problem> {
    let mut filter = LogFilter::new().since(period.since).until(period.until);
    if let Some(user) = params.get("user") {
        filter = filter.user_id(user);
    }
    if let Some(tenant) = params.get("tenant") {
        filter = filter.tenant_id(tenant);
    }
    if let Some(session) = params.get("session") {
        filter = filter.session_id(session);
    }
    if let Some(stage) = params.get("stage") {
        filter = filter.stage(stage);
    }
    if let Some(text) = params.get("text") {
        filter = filter.text(text);
    }
    if let Some(after) = params.parsed::<Position>(AFTER, "a position as in the link to the next page")? {
        filter = filter.after(after);
    }
    Ok(filter)
}
