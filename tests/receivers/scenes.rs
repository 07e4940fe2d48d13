//! The scenes that are sent to every receiver: the examples' traces, including a failed run, and a
//! conversation with a model.

use ragtrace_receivers::{Arrived, Dialect, Folder, Program, Sent, assert_arrived_whole, wait_for};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");

/// Runs each scene with the given settings, waits until as many spans have arrived as were sent,
/// and compares them.
pub(crate) fn play_over(settings: &[(&str, &str)], read: impl Fn(&str) -> Vec<Arrived>, dialect: &Dialect) {
    play(settings, |scene, sent| assert_arrived_whole(sent, &arrived(scene, sent, &read), dialect));
}

/// Waits until as many spans of a trace have arrived as were sent.
pub(crate) fn arrived(scene: &str, sent: &Sent, read: impl Fn(&str) -> Vec<Arrived>) -> Vec<Arrived> {
    let trace_id = sent.trace_id();
    wait_for(scene, || Some(read(&trace_id)).filter(|spans| spans.len() >= sent.trace.spans().len()))
}

/// Runs each scene with the given environment, and passes its name and what it sent to `see`.
pub(crate) fn play(environment: &[(&str, &str)], mut see: impl FnMut(&str, &Sent)) {
    let folder = Folder::new();
    let ingest = Program::Example("ingest");
    let run = folder.run(&ingest, &["--user", "alice", "--tenant", "acme", SAMPLES], environment);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert_eq!(run.sent.trace.spans().len(), 25, "four documents of six stages, and the whole");
    see("ingest", &run.sent);

    folder.file("empty.md", b"");
    let run = folder.run(&ingest, &["empty.md", "missing.md"], environment);
    assert_eq!(run.code, Some(1), "two documents that cannot be read");
    see("a failed ingest", &run.sent);

    let question = ["--tenant", "acme", "--user", "alice", "--log-question", "How long does the battery last?"];
    let run = folder.run(&Program::Example("ask"), &question, environment);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    see("ask", &run.sent);

    let run = folder.run(&Program::At(env!("CARGO_BIN_EXE_conversation")), &[], environment);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    see("a conversation", &run.sent);
}
