//! Reads traces, and the ids in addresses.

use std::sync::Arc;

use ragtrace::TraceId;
use ragtrace_store::Trace;

use super::cache::Cache;
use crate::view::problem::Problem;
use crate::view::session::Session;

/// Returns the trace as it was read a moment ago, or reads it.
pub(super) async fn recent(session: &Session, cache: &Arc<Cache>, id: TraceId) -> Result<Arc<Trace>, Problem> {
    if let Some(trace) = cache.get(session.role(), id) {
        return Ok(trace);
    }
    let trace = read(session, id).await?;
    cache.put(session.role(), &trace);
    Ok(trace)
}

/// Reads a trace.
pub(super) async fn read(session: &Session, id: TraceId) -> Result<Arc<Trace>, Problem> {
    let found = session.store().trace(id).await?;
    found.map(Arc::new).ok_or_else(|| {
        Problem::not_found(format!("there is no trace {id}"))
            .advice("It may be too old, of another tenant, or its records may still be on their way.")
    })
}

/// Parses the id of a trace in an address.
pub(super) fn trace_id(text: &str) -> Result<TraceId, Problem> {
    text.parse().map_err(|_| {
        Problem::not_found("this is not a trace id")
            .advice("A trace's id is a UUID or 32 hex digits. `ragtrace trace` finds one by its first digits.")
    })
}
