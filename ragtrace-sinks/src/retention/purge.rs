//! The erasure of a person.

#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "sqlite")]
use super::sqlite;
use crate::store::{Place, StoreError};

/// Erases a person from a store: every trace with a record of that user, archive and requests included, some traces at a
/// time, each whole. Counts by stage name nobody. What is written meanwhile stays: erase a person who is gone.
///
/// ```no_run
/// use ragtrace_sinks::retention::Purge;
///
/// # async fn erase() -> Result<(), ragtrace_sinks::store::StoreError> {
/// let purged = Purge::of("alice").run("sqlite:ragtrace.db", |_| {}).await?;
/// println!("{} rows are gone", purged.total());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    pub(super) user: String,
    pub(super) dry_run: bool,
}

impl Purge {
    /// Erases what is of the user of this id.
    pub fn of(user_id: impl Into<String>) -> Self {
        Self { user: user_id.into(), dry_run: false }
    }

    /// Says what would be removed, and removes nothing.
    pub fn dry_run(mut self, dry: bool) -> Self {
        self.dry_run = dry;
        self
    }

    /// Erases from the store at `url`, and says what. `progress` hears how far it is now and then. What is stopped is
    /// finished by running it again.
    ///
    /// # Errors
    ///
    /// If there is no store at `url`, or it cannot be written.
    pub async fn run(&self, url: &str, mut progress: impl FnMut(&Purged) + Send) -> Result<Purged, StoreError> {
        match Place::of(url)? {
            #[cfg(feature = "sqlite")]
            Place::Sqlite(path) => sqlite::purge(path, self, &mut progress).await,
            #[cfg(feature = "postgres")]
            Place::Postgres(target) => postgres::purge(&target, self, &mut progress).await,
        }
    }
}

/// What a purge removed, or would remove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// Rows of `logs`.
    pub logs: u64,
    /// Rows of `logs_archive`.
    pub archived: u64,
    /// Rows of `request_metrics`.
    pub requests: u64,
    /// Steps that are done.
    pub steps_done: usize,
    /// Steps in all, as far as they are known: what is found adds to them.
    pub steps: usize,
}

impl Purged {
    /// Every row together.
    pub fn total(&self) -> u64 {
        self.logs + self.archived + self.requests
    }

    /// A step is done.
    pub(super) fn advance(&mut self, progress: &mut (dyn FnMut(&Self) + Send)) {
        self.steps_done += 1;
        progress(self);
    }
}
