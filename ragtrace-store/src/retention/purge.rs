//! The rules and the report of erasing a user's data.

/// Rules for erasing a user's data from a store.
///
/// Every trace with a record of the user is removed, including its archived rows, its finished
/// requests and its scores; so are the scores that the user gave to other traces. Traces are
/// removed some at a time, each of them whole. Counts by stage contain no user and stay. Records
/// that are written while the purge runs may stay too, so purge after the user's last request.
///
/// A SQLite file is then rewritten, so that no byte of the removed rows stays in it or in its log.
/// That takes as much disk space again for a while, and writers wait for it. Copies and backups are
/// the operator's responsibility.
///
/// In PostgreSQL no statement finds a removed row any more, but its bytes stay in the tables' files
/// until something is written over them, which autovacuum makes room for in its own time. `VACUUM
/// (FULL) ragtrace.logs, ragtrace.logs_archive, ragtrace.request_metrics, ragtrace.scores` rewrites
/// the tables without them, and locks each table while it does. Write-ahead logs and backups from
/// before are the operator's responsibility.
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
    /// Creates the rules that erase the user with this id.
    pub fn of(user_id: impl Into<String>) -> Self {
        Self { user_id: user_id.into(), dry_run: false }
    }

    /// Sets whether to report what would be removed, without removing it. The default is `false`.
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

/// A report of what a purge removed, or would remove in a dry run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PurgeReport {
    /// The number of rows removed from `logs`.
    pub logs: u64,
    /// The number of rows removed from `logs_archive`.
    pub archived: u64,
    /// The number of rows removed from `request_metrics`.
    pub requests: u64,
    /// The number of rows removed from `scores`.
    pub scores: u64,
    /// `true` if a SQLite file's log may still contain bytes of the removed rows, because another
    /// program was reading it: purge again after that program has closed the file. Always `false`
    /// for PostgreSQL, where `VACUUM` removes the bytes.
    pub bytes_remain: bool,
    /// The number of write-ahead logs left behind by a SQLite file that was moved away without them
    /// (`…-wal.kept-1` and so on). They may contain any user's rows, and no purge looks into them.
    pub logs_set_aside: usize,
    /// The number of steps that are done.
    pub steps_done: usize,
    /// The number of steps in all. It grows while the purge finds more to remove.
    pub steps: usize,
}

impl PurgeReport {
    /// Returns the number of rows removed from all tables together.
    pub fn total(&self) -> u64 {
        self.logs + self.archived + self.requests + self.scores
    }

    /// Counts a finished step, and reports it.
    pub(crate) fn advance(&mut self, progress: &mut (dyn FnMut(&Self) + Send)) {
        self.steps_done += 1;
        progress(self);
    }
}
