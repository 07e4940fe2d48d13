//! Connects to the sinks that the environment names.

use std::time::Duration;

use ragtrace::Sink;
use ragtrace::sink::BoxSink;

use super::finding::Finding;
use crate::arguments::duration;
use crate::output::Failure;

/// Checks every sink, one after the other.
pub(super) async fn check(timeout: Duration) -> Result<Vec<Finding>, Failure> {
    let sinks = ragtrace_sinks::from_env().map_err(|error| Failure::new(error.to_string()))?;
    if sinks.is_empty() {
        return Ok(vec![Finding::wrong("sinks", "RAGTRACE_SINKS is empty, so records go nowhere: name a sink")]);
    }
    let mut findings = Vec::with_capacity(sinks.len());
    for sink in &sinks {
        findings.push(one(sink, timeout).await);
        sink.close().await;
    }
    Ok(findings)
}

async fn one(sink: &BoxSink, timeout: Duration) -> Finding {
    let subject = format!("sink {}", sink.name());
    match tokio::time::timeout(timeout, sink.check()).await {
        Ok(Ok(works)) => Finding::fine(subject, works),
        Ok(Err(error)) => Finding::wrong(subject, error.reason()),
        Err(_) => Finding::wrong(
            subject,
            format!("no answer within {}: is the address right, and the network open?", duration::short(timeout)),
        ),
    }
}
