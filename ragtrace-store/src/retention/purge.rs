//! The erasure of a person.

/// Rules for erasing a person from a store: every trace with a record of that user goes, archive
/// requests and scores included, some traces at a time, each whole; and so do the scores that this
/// user gave to other traces. Counts by stage name nobody and stay. So does what is written
/// meanwhile: erase a person who is gone.
///
/// A SQLite file is then written anew, so that no byte of theirs stays in it or in its log. That
/// takes as much room again for a while, and writers wait for it. Copies and backups are the
/// operator's.
///
/// In PostgreSQL no statement finds a removed row any more, but its bytes stay in the files of the
/// tables until something is written over them, which autovacuum makes room for in its own time.
/// `VACUUM (FULL) ragtrace.logs, ragtrace.logs_archive, ragtrace.request_metrics, ragtrace.scores`
/// writes the tables anew without them; it locks each while it does. Write-ahead logs and backups
/// from before are the operator's to let expire.
///
/// ```no_run
/// use ragtrace_store::retention::Purge;
///
/// # async fn erase() -> Result<(), ragtrace_store::StoreError> {
/// let report = ragtrace_store::purge("sqlite:ragtrace.db", &Purge::of("alice"), |_| {}).await?;
/// println!("{} rows are gone", report.total());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    user_id: String,
    dry_run: bool,
}

impl Purge {
    /// Returns the rules that erase the user of this id.
    pub fn of(user_id: impl Into<String>) -> Self {
        Self { user_id: user_id.into(), dry_run: false }
    }

    /// Sets whether the job only reports what it would remove.
    pub fn dry_run(mut self, dry: bool) -> Self {
        self.dry_run = dry;
        self
    }

    pub(crate) fn user_id(&self) -> &str {
        &self.user_id
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

/// A report of what a purge removed, or would remove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PurgeReport {
    /// How many rows of `logs` were removed.
    pub logs: u64,
    /// How many rows of `logs_archive` were removed.
    pub archived: u64,
    /// How many rows of `request_metrics` were removed.
    pub requests: u64,
    /// How many rows of `scores` were removed.
    pub scores: u64,
    /// `true` if bytes of the removed rows may still be in a file beside the store, since somebody
    /// was reading from it: purge again then. Over PostgreSQL `VACUUM` sees to that, and this is
    /// `false`.
    pub bytes_remain: bool,
    /// How many logs lie beside a SQLite file that was moved away without them (`…-wal.kept-1` and
    /// so on): their rows may be anybody's, and no purge looks into them.
    pub logs_set_aside: usize,
    /// How many steps are done.
    pub steps_done: usize,
    /// How many steps there are in all, as far as they are known: what is found adds to them.
    pub steps: usize,
}

impl PurgeReport {
    /// Returns the number of rows of all tables together.
    pub fn total(&self) -> u64 {
        self.logs + self.archived + self.requests + self.scores
    }

    /// Counts a step that is done, and reports it.
    pub(crate) fn advance(&mut self, progress: &mut (dyn FnMut(&Self) + Send)) {
        self.steps_done += 1;
        progress(self);
    }
}
