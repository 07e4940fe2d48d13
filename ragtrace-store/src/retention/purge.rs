//! The rules and the report of erasing a user's data.

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

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
/// Every purge that is not a dry run leaves a line in the store's audit
/// ([`LogStore::audit`](crate::LogStore::audit)), also if it found nothing: when and by whom, the
/// SHA-256 of the user's id, a reference, and how much was removed.
///
/// ```no_run
/// use ragtrace_store::retention::Purge;
///
/// # async fn erase() -> Result<(), ragtrace_store::StoreError> {
/// let purge = Purge::of("alice").actor("dpo@acme.example").reference("ticket 4711");
/// let report = ragtrace_store::purge("sqlite:ragtrace.db", &purge, |_| {}).await?;
/// println!("{} rows are gone", report.total());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    user_id: String,
    dry_run: bool,
    actor: Option<String>,
    reference: Option<String>,
    counts: Vec<(String, u64)>,
}

impl Purge {
    /// Creates the rules that erase the user with this id.
    pub fn of(user_id: impl Into<String>) -> Self {
        Self { user_id: user_id.into(), dry_run: false, actor: None, reference: None, counts: Vec::new() }
    }

    /// Sets whether to report what would be removed, without removing it. The default is `false`.
    pub fn dry_run(mut self, dry: bool) -> Self {
        self.dry_run = dry;
        self
    }

    /// Names who erases the data, for the line of the audit.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Sets a reference for the line of the audit, such as the number of a ticket. It should not
    /// contain anything about the user.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// Adds a count to the line of the audit, of something that was removed elsewhere, such as
    /// records in a spool.
    pub fn also_removed(mut self, name: impl Into<String>, count: u64) -> Self {
        self.counts.push((name.into(), count));
        self
    }

    /// Returns the line that the purge leaves.
    pub(crate) fn audit_line(&self, report: &PurgeReport) -> AuditLine<'_> {
        let own = [
            ("logs", report.logs),
            ("archived", report.archived),
            ("requests", report.requests),
            ("scores", report.scores),
        ];
        let others = self.counts.iter().map(|(name, count)| (name.as_str(), *count));
        let counts = own.into_iter().chain(others).map(|(name, count)| (name.to_owned(), Json::from(count)));
        AuditLine {
            action: "purge",
            actor: self.actor.as_deref(),
            subject_hash: hash(&self.user_id),
            reference: self.reference.as_deref(),
            details: Json::Object(counts.collect::<Map<_, _>>()).to_string(),
        }
    }

    pub(crate) fn user_id(&self) -> &str {
        &self.user_id
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

/// A row of `audit`.
pub(crate) struct AuditLine<'a> {
    pub(crate) action: &'static str,
    pub(crate) actor: Option<&'a str>,
    pub(crate) subject_hash: String,
    pub(crate) reference: Option<&'a str>,
    /// The numbers of removed rows, as a JSON object.
    pub(crate) details: String,
}

/// Returns the SHA-256 of a text, in hex.
fn hash(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
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
