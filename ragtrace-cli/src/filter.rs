//! The filters that commands share.

use clap::Args;
use ragtrace::Timestamp;
use ragtrace_store::LogFilter;

use crate::output::Format;
use crate::when;

#[derive(Args)]
pub(crate) struct Filter {
    /// Records of this user.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Records of this tenant.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Records of this stage.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Records since then: `24h`, `90m`, `7d` ago, or a time such as 2026-11-22T08:20:11Z.
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    since: Option<Timestamp>,
    /// Records before then, given likewise.
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    until: Option<Timestamp>,
    /// So many records at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    limit: usize,
    /// How to write them.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

impl Filter {
    pub(crate) fn to_store(&self) -> LogFilter {
        let mut filter = LogFilter::new().limit(self.limit);
        if let Some(user) = &self.user {
            filter = filter.user(user);
        }
        if let Some(tenant) = &self.tenant {
            filter = filter.tenant(tenant);
        }
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
