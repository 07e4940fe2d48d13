//! The records that a visitor follows.

use ragtrace::{Level, Record};
use ragtrace_store::LogFilter;

use crate::view::params::Params;
use crate::view::problem::Problem;

/// The conditions of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    stage: Option<String>,
    user: Option<String>,
    tenant: Option<String>,
    session: Option<String>,
    level: Option<Level>,
}

impl Wanted {
    pub(super) fn of(params: &Params) -> Result<Self, Problem> {
        let text = |name| params.get(name).map(str::to_owned);
        let level = params.get("level").map(str::to_ascii_lowercase);
        let level = level.map(|level| level.parse()).transpose();
        let level = level.map_err(|_| Problem::bad("`level` is error, warn, info, debug or trace"))?;
        Ok(Self { stage: text("stage"), user: text("user"), tenant: text("tenant"), session: text("session"), level })
    }

    /// Returns a filter for the newest of these records.
    pub(super) fn newest(&self, limit: usize) -> LogFilter {
        let mut filter = LogFilter::new().limit(limit);
        if let Some(stage) = &self.stage {
            filter = filter.stage(stage);
        }
        if let Some(user) = &self.user {
            filter = filter.user_id(user);
        }
        if let Some(tenant) = &self.tenant {
            filter = filter.tenant_id(tenant);
        }
        if let Some(session) = &self.session {
            filter = filter.session_id(session);
        }
        if let Some(level) = self.level {
            filter = filter.level(level);
        }
        filter
    }

    pub(super) fn takes(&self, record: &Record) -> bool {
        self.level.is_none_or(|level| record.level() >= level) && self.takes_running(record)
    }

    /// Returns `true` if the record is of the stage and the people. A stage that runs is shown
    /// whatever the level of its start.
    pub(super) fn takes_running(&self, record: &Record) -> bool {
        let all = [
            (&self.stage, record.stage()),
            (&self.user, record.user_id()),
            (&self.tenant, record.tenant_id()),
            (&self.session, record.session_id()),
        ];
        all.into_iter().all(|(wanted, is)| wanted.is_none() || wanted.as_deref() == is)
    }
}
