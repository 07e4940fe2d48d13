//! The spool's thread, which executes commands in groups, and does periodic work when there are
//! none.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use ragtrace_core::guard::contain;
use ragtrace_core::queue::exclude_this_thread;

use super::protocol::{SpoolCommand, SpoolConfig, SpoolHandle};
use super::store::SpoolStore;
use crate::sink::message_of;
use crate::warning;

/// The interval of periodic work: dropping old batches, and trying a failed disk again.
const TICK: Duration = Duration::from_secs(5);
/// The maximum number of commands in one transaction.
const GROUP_COMMANDS: usize = 256;

/// Starts the thread.
pub(crate) fn start(config: SpoolConfig) -> Option<SpoolHandle> {
    let (handle, commands) = SpoolHandle::channel();
    let spawned =
        std::thread::Builder::new().name("ragtrace-spool".to_owned()).spawn(move || run_contained(config, &commands));
    match spawned {
        Ok(_thread) => Some(handle),
        Err(error) => {
            warning::print(&format!("there is no spool, because its thread could not be started: {error}"));
            None
        }
    }
}

/// Runs until the end or a panic. The worker notices either by the end of the events.
fn run_contained(config: SpoolConfig, commands: &Receiver<SpoolCommand>) {
    exclude_this_thread();
    if let Err(payload) = contain(|| run(SpoolStore::new(config), commands)) {
        let why = message_of(payload);
        warning::print(&format!(
            "the spool's thread has panicked, so records stay in memory, and the next process delivers the batches on disk: {why}"
        ));
    }
}

fn run(mut store: SpoolStore, commands: &Receiver<SpoolCommand>) {
    store.recover();
    store.report_oldest();
    let mut account_due = store.keep_account(true);
    loop {
        let wait = account_due.map_or(TICK, |due| due.min(TICK));
        let first = match commands.recv_timeout(wait) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            // The worker has ended without closing the spool; batches on disk stay there.
            Err(RecvTimeoutError::Disconnected) => return store.close(),
        };
        let mut closing = None;
        let group = first.into_iter().chain(commands.try_iter().take(GROUP_COMMANDS));
        let group = group.filter_map(|command| match command {
            SpoolCommand::Close { done } => {
                closing = Some(done);
                None
            }
            other => Some(other),
        });
        let group: Vec<_> = group.collect();
        let has_worked = !group.is_empty();
        store.execute(group);
        if let Some(done) = closing {
            // Commands that were sent after the request to close are executed too, because the
            // worker had not seen the end yet.
            store.execute(commands.try_iter().collect());
            store.close();
            // The caller may have stopped waiting.
            let _ = done.send(());
            return;
        }
        store.tick();
        store.report_oldest();
        account_due = store.keep_account(has_worked);
    }
}
