//! The spool's thread: what it is told, and what it says.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::store::Store;
use super::{DeadLetter, SpoolLimits};
use crate::TraceId;
use crate::record::Record;
use crate::sample::Sampler;
use crate::sink::{Batch, BatchLimits};
use crate::warning;

/// How often ages are looked at, and a folder that failed is tried again, when nothing else happens.
const TICK: Duration = Duration::from_secs(5);
/// Commands that share a transaction.
const GROUP: usize = 256;

/// What a spool needs to begin.
#[derive(Debug)]
pub(crate) struct SpoolPlan {
    pub(crate) folder: PathBuf,
    pub(crate) bounds: SpoolLimits,
    /// By lane, the name under which its batches are kept; `None` for a lane that keeps none.
    pub(crate) lanes: Vec<Option<String>>,
    /// By lane, how large a batch may be.
    pub(crate) limits: Vec<BatchLimits>,
    /// Decides over what the sampler of a process that is gone had not decided.
    pub(crate) sampler: Sampler,
    pub(crate) events: UnboundedSender<Event>,
}

/// Names a stored batch, in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(super) u64);

/// A batch that was read back.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) key: Key,
    pub(crate) batch: Batch,
}

/// What a lane asks for. `ticket` comes back with the answer.
#[derive(Debug)]
pub(crate) enum Command {
    /// Keep a batch. With `held` its lane has it in memory too, and it is neither loaded nor dropped.
    Store { lane: usize, ticket: u64, batch: Batch, held: bool },
    /// Put the halves in the place of a held batch.
    Split { lane: usize, ticket: u64, parent: Key, halves: Box<[Batch; 2]> },
    /// A held batch is done with.
    Remove { lane: usize, key: Key },
    /// The lane has forgotten a held batch.
    Release { lane: usize, key: Key },
    /// Read batches back until they have so many bytes, the oldest first; they are held from then on.
    Load { lane: usize, bytes: u64 },
    /// Write down what a sink refused for good.
    Bury { lane: usize, letters: Vec<DeadLetter> },
    /// Keep records whose traces the sampler has not decided.
    Hold { ticket: u64, traces: Vec<(TraceId, Vec<Record>)> },
    /// Let go of the undecided records of these traces. What of them is kept comes in these batches of lanes, which are
    /// stored in the same transaction, and held, each with its ticket.
    Decide { traces: Vec<TraceId>, batches: Vec<(usize, u64, Batch)> },
    /// Come to an end, and say so.
    Close { done: tokio::sync::oneshot::Sender<()> },
}

/// What the thread says.
#[derive(Debug)]
pub(crate) enum Event {
    /// What earlier processes left was looked at, if the disk allows it; nothing more comes of that.
    Opened,
    /// Undecided records are on disk, or why they are not.
    Holding { ticket: u64, written: Result<(), String> },
    /// Undecided records that were on disk are not any more.
    LostHeld,
    /// A process that is gone had not decided over these records, and they are not kept.
    LeftOut { records: u64 },
    /// What an earlier process left for a lane.
    Recovered { lane: usize, batches: u64, records: u64 },
    /// A batch is on disk, or why it is not.
    Stored { lane: usize, ticket: u64, key: Result<Key, String> },
    /// Halves are on disk in the place of their parent, or why they are not.
    Split { lane: usize, ticket: u64, keys: Result<[Key; 2], String> },
    /// Batches that were read back: none, if there are none or the disk fails.
    Loaded { lane: usize, batches: Vec<Stored> },
    /// Batches that nobody held were given up.
    Dropped { lane: usize, batches: u64, records: u64, why: String },
    /// Records that could not be written down as dead letters.
    Unburied { lane: usize, records: u64, why: String },
}

impl Event {
    /// The lane that it is for, if it is for one.
    pub(crate) fn lane(&self) -> Option<usize> {
        match self {
            Self::Opened | Self::Holding { .. } | Self::LostHeld | Self::LeftOut { .. } => None,
            Self::Recovered { lane, .. }
            | Self::Stored { lane, .. }
            | Self::Split { lane, .. }
            | Self::Loaded { lane, .. }
            | Self::Dropped { lane, .. }
            | Self::Unburied { lane, .. } => Some(*lane),
        }
    }
}

/// The way to the thread.
#[derive(Clone, Debug)]
pub(crate) struct Handle(Sender<Command>);

impl Handle {
    /// Tells the thread, without waiting, and says whether it is there.
    pub(crate) fn send(&self, command: Command) -> bool {
        self.0.send(command).is_ok()
    }
}

#[cfg(test)]
impl Handle {
    /// A way to no thread, and its end.
    pub(crate) fn detached() -> (Self, Receiver<Command>) {
        let (sender, receiver) = channel();
        (Self(sender), receiver)
    }
}

#[cfg(test)]
impl Key {
    /// A key that no file knows.
    pub(crate) fn made_up(number: u64) -> Self {
        Self(number)
    }
}

/// Starts the thread.
pub(crate) fn start(plan: SpoolPlan) -> Option<Handle> {
    let (sender, receiver) = channel();
    let spawned =
        std::thread::Builder::new().name("ragtrace-spool".to_owned()).spawn(move || run(Store::new(plan), &receiver));
    match spawned {
        Ok(_thread) => Some(Handle(sender)),
        Err(error) => {
            warning::line(&format!("there is no spool, since its thread could not be started: {error}"));
            None
        }
    }
}

fn run(mut store: Store, commands: &Receiver<Command>) {
    store.recover();
    loop {
        let first = match commands.recv_timeout(TICK) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            // The worker is gone without a word; what is on disk stays there.
            Err(RecvTimeoutError::Disconnected) => return store.close(),
        };
        let mut closing = None;
        let group = first.into_iter().chain(commands.try_iter().take(GROUP));
        let group = group.filter_map(|command| match command {
            Command::Close { done } => {
                closing = Some(done);
                None
            }
            other => Some(other),
        });
        let group: Vec<_> = group.collect();
        store.obey(group);
        if let Some(done) = closing {
            // What was said after the wish to close is obeyed too: it was said before the worker saw the end.
            store.obey(commands.try_iter().collect());
            store.close();
            // Whoever waited may have gone.
            let _ = done.send(());
            return;
        }
        store.tick();
    }
}
