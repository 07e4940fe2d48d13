//! The spool's thread: it takes commands in groups, and looks at ages and at a disk that failed
//! when there are none.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use ragtrace_core::guard::contain;
use ragtrace_core::queue::exclude_this_thread;

use super::protocol::{SpoolCommand, SpoolConfig, SpoolHandle};
use super::store::SpoolStore;
use crate::sink::message_of;
use crate::warning;

/// How often ages are looked at, and a folder that failed is tried again, when nothing else
/// happens.
const TICK: Duration = Duration::from_secs(5);
/// Commands that share a transaction.
const GROUP_COMMANDS: usize = 256;

/// Starts the thread.
pub(crate) fn start(config: SpoolConfig) -> Option<SpoolHandle> {
    let (handle, commands) = SpoolHandle::channel();
    let spawned =
        std::thread::Builder::new().name("ragtrace-spool".to_owned()).spawn(move || run_contained(config, &commands));
    match spawned {
        Ok(_thread) => Some(handle),
        Err(error) => {
            warning::print(&format!("there is no spool, since its thread could not be started: {error}"));
            None
        }
    }
}

/// Runs to the end, or to a panic. The worker hears of either by the end of the events.
fn run_contained(config: SpoolConfig, commands: &Receiver<SpoolCommand>) {
    exclude_this_thread();
    if let Err(payload) = contain(|| run(SpoolStore::new(config), commands)) {
        let why = message_of(payload);
        warning::print(&format!(
            "the spool's thread has ended, so records stay in memory, and the next process takes up what is on disk: it panicked: {why}"
        ));
    }
}

fn run(mut store: SpoolStore, commands: &Receiver<SpoolCommand>) {
    store.recover();
    loop {
        let first = match commands.recv_timeout(TICK) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            // The worker is gone without a word; what is on disk stays there.
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
        store.execute(group);
        if let Some(done) = closing {
            // What was asked for after the wish to close is done too: it was before the worker saw
            // the end.
            store.execute(commands.try_iter().collect());
            store.close();
            // Whoever waited may have gone.
            let _ = done.send(());
            return;
        }
        store.tick();
    }
}
