//! Finds the trace that a user names on the command line.

use ragtrace::TraceId;
use ragtrace_store::LogStore;

use crate::output::Failure;

/// Returns the trace with the id `named`, the only one whose id begins with `named`, or the newest
/// one for `last`. The inner `Err` is a message that says why there is none.
pub(crate) async fn trace(store: &LogStore, named: &str) -> Result<Result<TraceId, String>, Failure> {
    /// The number of ids shown if several match.
    const SHOWN: usize = 5;
    if named == "last" {
        let latest = store.latest_trace().await?;
        return Ok(latest.map(|trace| trace.trace_id()).ok_or_else(|| "the store has no traces yet".to_owned()));
    }
    if let Ok(id) = named.parse() {
        return Ok(Ok(id));
    }
    if !named.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') || named.trim_matches('-').is_empty() {
        let message =
            format!("{named:?} is not a trace id: give a UUID, 32 hex digits, the first digits of either, or `last`");
        return Err(Failure::new(message));
    }
    let fitting = store.traces_starting_with(named, SHOWN + 1).await?;
    match fitting[..] {
        [] => Ok(Err(format!("no trace id begins with {named}"))),
        [one] => Ok(Ok(one)),
        _ => {
            let shown: Vec<_> = fitting.iter().take(SHOWN).map(TraceId::to_string).collect();
            let more = if fitting.len() > SHOWN { " and more" } else { "" };
            Err(Failure::new(format!(
                "{named} matches several traces, so give more digits: {}{more}",
                shown.join(", ")
            )))
        }
    }
}
