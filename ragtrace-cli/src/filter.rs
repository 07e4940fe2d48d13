//! The filters that commands share.

use clap::Args;
use ragtrace::{Record, Timestamp};
use ragtrace_store::{LogFilter, TraceFilter};

use crate::output::Format;
use crate::when;

/// Whose records or traces.
#[derive(Args)]
pub(crate) struct Whose {
    /// Of this user only.
    #[arg(long, alias = "user-id", value_name = "ID")]
    user: Option<String>,
    /// Of this tenant only.
    #[arg(long, alias = "tenant-id", value_name = "ID")]
    tenant: Option<String>,
    /// Of this session only, such as a conversation.
    #[arg(long, alias = "session-id", value_name = "ID")]
    session: Option<String>,
}

impl Whose {
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

/// Which records, in commands that list them.
#[derive(Args)]
pub(crate) struct Records {
    #[command(flatten)]
    whose: Whose,
    /// Of the stage of this name only.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Since then: `24h`, `90m`, `7d` ago, or a time such as 2026-11-22T08:20:11Z.
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    since: Option<Timestamp>,
    /// Before then, given likewise.
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    until: Option<Timestamp>,
    /// So many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    limit: usize,
    /// How to write them.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

impl Records {
    pub(crate) fn filter(&self) -> LogFilter {
        let mut filter = self.whose.logs(LogFilter::new().limit(self.limit));
        if let Some(stage) = &self.stage {
            filter = filter.stage(stage);
        }
        if let Some(since) = self.since {
            filter = filter.since(since);
        }
        if let Some(until) = self.until {
            filter = filter.until(until);
        }
        filter
    }
}
