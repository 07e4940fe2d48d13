//! Finds the trace that a user names on the command line.

use ragtrace::TraceId;
use ragtrace_store::{LogStore, TraceFilter, TraceSummary};

use crate::output::Failure;

/// The largest number of traces before the newest that can be asked for.
const MOST_BACK: usize = 1_000;

/// Returns the trace with the id `named`, the only one whose id begins with `named`, the newest one
/// for `last`, or an earlier one for `last~1`, `last~2` and so on. The inner `Err` is a message
/// that says why there is none.
pub(crate) async fn trace(store: &LogStore, named: &str) -> Result<Result<TraceId, String>, Failure> {
    /// The number of ids shown if several match.
    const SHOWN: usize = 5;
    if let Some(back) = named.strip_prefix("last") {
        let back = if back.is_empty() { Some(0) } else { back.strip_prefix('~').and_then(|back| back.parse().ok()) };
        return match back.filter(|back| *back <= MOST_BACK) {
            Some(back) => from_the_newest(store, back).await,
            None => {
                Err(Failure::new(format!("{named:?} is not a trace: write `last~1` for the one before the newest")))
            }
        };
    }
    if let Ok(id) = named.parse() {
        return Ok(Ok(id));
    }
    if !named.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') || named.trim_matches('-').is_empty() {
        let message = format!(
            "{named:?} is not a trace id: give a UUID, 32 hex digits, the first digits of either, `last`, or `last~1`"
        );
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

/// Returns the newest trace or, if `back` is not zero, a finished one before it.
async fn from_the_newest(store: &LogStore, back: usize) -> Result<Result<TraceId, String>, Failure> {
    let Some(latest) = store.latest_trace().await? else { return Ok(Err("the store has no traces yet".to_owned())) };
    let mut ids = vec![latest.trace_id()];
    // A trace that several processes took part in is listed several times.
    let mut filter = TraceFilter::new().limit(back.max(8) + 1);
    while ids.len() <= back {
        let page = store.traces(filter.clone()).await?;
        let Some(last) = page.last() else {
            let traces = if ids.len() == 1 { "trace" } else { "traces" };
            return Ok(Err(format!("the store has {} {traces}, and so no `last~{back}`", ids.len())));
        };
        filter = filter.after(last.position());
        for id in page.iter().map(TraceSummary::trace_id) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    Ok(Ok(ids[back]))
}
