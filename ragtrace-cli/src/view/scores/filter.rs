//! The filter of the page of scores, in the query.

use ragtrace_store::{Position, ScoreFilter};

use crate::view::list::AFTER;
use crate::view::params::Params;
use crate::view::period::Period;
use crate::view::problem::Problem;

/// The address of the page.
pub(super) const PATH: &str = "/scores";

/// Reads the filter of a query.
pub(super) fn parse(params: &Params, period: Period) -> Result<ScoreFilter, Problem> {
    let mut filter = ScoreFilter::new().since(period.since).until(period.until);
    if let Some(name) = params.get("name") {
        filter = filter.name(name);
    }
    if let Some(judge) = params.get("by") {
        filter = filter.by(judge);
    }
    if let Some(tenant) = params.get("tenant") {
        filter = filter.tenant_id(tenant);
    }
    if let Some(after) = params.parsed::<Position>(AFTER, "a position as in the link to the next page")? {
        filter = filter.after(after);
    }
    Ok(filter)
}
