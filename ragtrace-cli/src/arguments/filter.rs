//! Filter arguments that several commands share.

use clap::Args;
use ragtrace::{Record, Timestamp};
use ragtrace_store::{LogFilter, TraceFilter};

use crate::arguments::{number, time};
use crate::output::{Failure, Format};

/// The arguments that filter by user, tenant and session.
#[derive(Args)]
pub(crate) struct IdentityFilter {
    /// Filter by user id.
    #[arg(long, visible_alias = "user-id", value_name = "ID")]
    user: Option<String>,
    /// Filter by tenant id.
    #[arg(long, visible_alias = "tenant-id", value_name = "ID")]
    tenant: Option<String>,
    /// Filter by session id, such as a conversation's.
    #[arg(long, visible_alias = "session-id", value_name = "ID")]
    session: Option<String>,
}

impl IdentityFilter {
    pub(crate) fn logs(&self, mut filter: LogFilter) -> LogFilter {
        if let Some(user) = &self.user {
            filter = filter.user_id(user);
        }
        if let Some(tenant) = &self.tenant {
            filter = filter.tenant_id(tenant);
        }
        if let Some(session) = &self.session {
            filter = filter.session_id(session);
        }
        filter
    }

    pub(crate) fn traces(&self, mut filter: TraceFilter) -> TraceFilter {
        if let Some(user) = &self.user {
            filter = filter.user_id(user);
        }
        if let Some(tenant) = &self.tenant {
            filter = filter.tenant_id(tenant);
        }
        if let Some(session) = &self.session {
            filter = filter.session_id(session);
        }
        filter
    }

    pub(crate) fn fits(&self, record: &Record) -> bool {
        let all =
            [(&self.user, record.user_id()), (&self.tenant, record.tenant_id()), (&self.session, record.session_id())];
        all.into_iter().all(|(wanted, is)| wanted.is_none() || wanted.as_deref() == is)
    }
}

/// The arguments of the commands that list records.
#[derive(Args)]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    identity: IdentityFilter,
    /// Filter by stage name; log lines written inside the stage match too.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Show records from this time on: an age such as `90m`, `24h` or `7d`, or a time.
    ///
    /// An age is a whole number and a unit: s, m, h, d or w. A time is written as in
    /// 2026-11-22T08:20:11Z, 2026-11-22T10:20:11+02:00 or 2026-11-22; without a zone it is UTC.
    #[arg(long, value_name = "WHEN", value_parser = time::parse)]
    since: Option<Timestamp>,
    /// Show records before this time, written as for `--since`.
    #[arg(long, value_name = "WHEN", value_parser = time::parse)]
    until: Option<Timestamp>,
    /// Show at most this many records.
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = number::limit, allow_negative_numbers = true)]
    limit: usize,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

impl RecordArgs {
    pub(crate) fn filter(&self) -> Result<LogFilter, Failure> {
        time::check_window(self.since, self.until).map_err(Failure::new)?;
        let mut filter = self.identity.logs(LogFilter::new().limit(self.limit));
        if let Some(stage) = &self.stage {
            filter = filter.stage(stage);
        }
        if let Some(since) = self.since {
            filter = filter.since(since);
        }
        if let Some(until) = self.until {
            filter = filter.until(until);
        }
        Ok(filter)
    }
}
