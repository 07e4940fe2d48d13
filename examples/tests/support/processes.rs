//! A program and the processes that it starts, as Linux lists them.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The numbers of the processes that `parent` has started and that are still there.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Returns `true` if there is such a process. One that has ended, but whose parent does not ask
/// how, is no longer running.
pub(crate) fn is_running(id: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{id}/stat")).ok();
    // The name before it is in parentheses, and may contain anything.
    let state = state.as_deref().and_then(|stat| stat.rsplit_once(") ")?.1.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Sends a signal to a process.
pub(crate) fn signal(id: u32, name: &str) {
    let sent = Command::new("sh").args(["-c", "kill -$0 $1", name, &id.to_string()]).status();
    assert!(sent.expect("a shell").success());
}

/// The memory that a program and its processes took at once.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Peak {
    /// The most of all together in bytes, memory that they share counted once.
    pub(crate) all: u64,
    /// The most of the program alone in bytes.
    pub(crate) program: u64,
    /// The largest number of processes beside the program.
    pub(crate) processes: usize,
}

/// Runs a program to its end, and looks at its memory all the time.
pub(crate) fn watched(command: &mut Command) -> (Output, Peak) {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let id = child.id();
    let has_ended = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&has_ended);
    let watcher = thread::spawn(move || {
        let mut peak = Peak::default();
        while !stop.load(Ordering::Relaxed) {
            let processes = descendants(id);
            let own = memory(id);
            peak.program = peak.program.max(own);
            peak.all = peak.all.max(own + processes.iter().copied().map(memory).sum::<u64>());
            peak.processes = peak.processes.max(processes.len());
            thread::sleep(Duration::from_millis(3));
        }
        peak
    });
    let output = child.wait_with_output().expect("its output");
    has_ended.store(true, Ordering::Relaxed);
    (output, watcher.join().expect("no panic"))
}

/// Returns the processes below `parent`.
fn descendants(parent: u32) -> BTreeSet<u32> {
    let (mut found, mut waiting) = (BTreeSet::new(), vec![parent]);
    while let Some(parent) = waiting.pop() {
        waiting.extend(children(parent).into_iter().filter(|child| found.insert(*child)));
    }
    found
}

/// Returns the memory of a process in bytes: its proportional set size, in which memory shared by n
/// processes counts as an n-th.
fn memory(id: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
