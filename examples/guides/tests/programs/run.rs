//! Running a program, and its traces as lines that a test can compare.

use std::process::Stdio;

use ragtrace_sinks::store::{LogFilter, SpanNode, Trace, TraceFilter};

use crate::program::{Ended, Folder, end};

/// Runs a program to its end, which has to come in time. Its output is small enough for a pipe.
pub(crate) async fn run(folder: &Folder, program: &str, arguments: &[&str]) -> Ended {
    let mut command = folder.command(program, arguments);
    let mut child = command
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    end(&mut child).await;
    Ended::from(child.wait_with_output().expect("what it printed"))
}

/// Runs a program that succeeds, and returns its standard output.
pub(crate) async fn run_well(folder: &Folder, program: &str, arguments: &[&str]) -> String {
    let ended = run(folder, program, arguments).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    ended.stdout
}

/// Returns all traces that a program left, the oldest first. The store lists a trace once for each
/// stage without a parent in its process, so duplicates are removed.
pub(crate) async fn traces(folder: &Folder) -> Vec<Trace> {
    let store = folder.store().await;
    let mut traces: Vec<Trace> = Vec::new();
    for summary in store.traces(TraceFilter::new()).await.expect("a readable store").into_iter().rev() {
        if traces.iter().all(|trace| trace.trace_id() != summary.trace_id()) {
            traces.push(store.trace(summary.trace_id()).await.expect("a readable store").expect("a trace"));
        }
    }
    traces
}

/// Returns the only trace that a program left.
pub(crate) async fn trace(folder: &Folder) -> Trace {
    let mut traces = traces(folder).await;
    assert_eq!(traces.len(), 1, "one trace");
    traces.remove(0)
}

/// Returns the messages of all records at level ERROR, the oldest first.
pub(crate) async fn errors(folder: &Folder) -> Vec<String> {
    let rows = folder.store().await.errors(LogFilter::new()).await.expect("a readable store");
    rows.iter().rev().map(|row| row.record().message().into_owned()).collect()
}

/// Returns a line for each span of a trace, indented by two spaces for each level: the stage and
/// its outcome.
pub(crate) fn outline(trace: &Trace) -> Vec<String> {
    fn add(span: SpanNode<'_>, depth: usize, lines: &mut Vec<String>) {
        lines.push(format!("{}{} {}", "  ".repeat(depth), span.stage(), span.status()));
        span.children().for_each(|child| add(child, depth + 1, lines));
    }
    let mut lines = Vec::new();
    trace.roots().for_each(|root| add(root, 0, &mut lines));
    lines
}

/// Returns the only run of a stage.
#[track_caller]
pub(crate) fn the<'a>(trace: &'a Trace, stage: &str) -> SpanNode<'a> {
    let mut spans = trace.spans().filter(|span| span.stage() == stage);
    let span = spans.next().unwrap_or_else(|| panic!("no {stage} in {:?}", outline(trace)));
    assert!(spans.next().is_none(), "{stage} twice in {:?}", outline(trace));
    span
}
