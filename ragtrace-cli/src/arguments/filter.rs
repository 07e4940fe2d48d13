//! Filter arguments that several commands share.

use clap::Args;
use ragtrace_store::TraceFilter;

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

    /// Returns the ids of user, tenant and session.
    pub(crate) fn parts(&self) -> [Option<&str>; 3] {
        [self.user.as_deref(), self.tenant.as_deref(), self.session.as_deref()]
    }
}
