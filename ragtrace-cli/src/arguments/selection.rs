//! The arguments that select records, and the records that they select: in a store by a filter, and
//! among records that are in memory already.

use clap::Args;
use ragtrace::{Event, Level, Record, Timestamp, TraceId};
use ragtrace_store::{LogFilter, LogStore};

use crate::arguments::filter::IdentityFilter;
use crate::arguments::{find, time};
use crate::output::Failure;

/// The arguments that select records of every level and event.
#[derive(Args)]
pub(crate) struct RecordFilter {
    #[command(flatten)]
    shared: SharedFilter,
    /// Show records of at least this severity: trace, debug, info, warn or error.
    #[arg(long)]
    level: Option<Level>,
    /// Show records of one event: started, completed, failed, cancelled, log or score.
    #[arg(long, value_name = "EVENT", value_parser = event)]
    event: Option<Event>,
}

/// The arguments that select records, apart from those by level and event.
#[derive(Args)]
pub(crate) struct SharedFilter {
    /// Filter by trace: its id, the first digits of it, or `last` for the newest.
    #[arg(long, visible_alias = "trace-id", value_name = "ID")]
    trace: Option<String>,
    /// Filter by request id.
    #[arg(long, visible_alias = "request-id", value_name = "ID")]
    request: Option<String>,
    #[command(flatten)]
    identity: IdentityFilter,
    /// Filter by stage name; log lines written inside the stage match too.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Show records with this text in their message, error type or error message, in any case.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    text: Option<String>,
    /// Show records from this time on: an age such as `90m`, `24h` or `7d`, or a time.
    ///
    /// An age is a whole number and a unit: s, m, h, d or w. A time is written as in
    /// 2026-11-22T08:20:11Z, 2026-11-22T10:20:11+02:00 or 2026-11-22; without a zone it is UTC.
    #[arg(long, value_name = "WHEN", value_parser = time::parse)]
    since: Option<Timestamp>,
    /// Show records before this time, written as for `--since`.
    #[arg(long, value_name = "WHEN", value_parser = time::parse)]
    until: Option<Timestamp>,
}

/// Records that arguments select, once the trace that they name is found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    request: Option<String>,
    user: Option<String>,
    tenant: Option<String>,
    session: Option<String>,
    stage: Option<String>,
    text: Option<String>,
    level: Option<Level>,
    event: Option<Event>,
}

/// Adds a condition on a text to a filter.
type AddText = fn(LogFilter, String) -> LogFilter;

impl RecordFilter {
    /// Checks what can be checked without a store.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.shared.check()
    }

    /// Returns the selection. The inner `Err` says why there is no such trace.
    pub(crate) async fn select(&self, store: &LogStore) -> Result<Result<Selection, String>, Failure> {
        let selection = self.shared.select(store).await?;
        Ok(selection.map(|selection| Selection { level: self.level, event: self.event, ..selection }))
    }
}

impl SharedFilter {
    /// Checks what can be checked without a store.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        time::check_window(self.since, self.until).map_err(Failure::new)
    }

    /// Returns the selection. The inner `Err` says why there is no such trace.
    pub(crate) async fn select(&self, store: &LogStore) -> Result<Result<Selection, String>, Failure> {
        self.check()?;
        let trace_id = match &self.trace {
            Some(named) => match find::trace(store, named).await? {
                Ok(id) => Some(id),
                Err(why) => return Ok(Err(why)),
            },
            None => None,
        };
        let [user, tenant, session] = self.identity.parts().map(|part| part.map(str::to_owned));
        Ok(Ok(Selection {
            trace_id,
            since: self.since,
            until: self.until,
            request: self.request.clone(),
            user,
            tenant,
            session,
            stage: self.stage.clone(),
            text: self.text.clone(),
            level: None,
            event: None,
        }))
    }
}

impl Selection {
    /// Returns the filter for a store.
    pub(crate) fn filter(&self) -> LogFilter {
        let mut filter = LogFilter::new();
        if let Some(id) = self.trace_id {
            filter = filter.trace_id(id);
        }
        let texts: [(&Option<String>, AddText); 6] = [
            (&self.request, LogFilter::request_id),
            (&self.user, LogFilter::user_id),
            (&self.tenant, LogFilter::tenant_id),
            (&self.session, LogFilter::session_id),
            (&self.stage, LogFilter::stage),
            (&self.text, LogFilter::text),
        ];
        for (text, add) in texts {
            if let Some(text) = text {
                filter = add(filter, text.clone());
            }
        }
        if let Some(level) = self.level {
            filter = filter.level(level);
        }
        if let Some(event) = self.event {
            filter = filter.event(event);
        }
        if let Some(since) = self.since {
            filter = filter.since(since);
        }
        if let Some(until) = self.until {
            filter = filter.until(until);
        }
        filter
    }

    /// Returns `true` if a record is selected.
    pub(crate) fn fits(&self, record: &Record) -> bool {
        fn is<T: PartialEq + ?Sized>(wanted: Option<&T>, is: Option<&T>) -> bool {
            wanted.is_none() || wanted == is
        }
        is(self.trace_id.as_ref(), record.trace_id().as_ref())
            && is(self.request.as_deref(), record.request_id())
            && is(self.user.as_deref(), record.user_id())
            && is(self.tenant.as_deref(), record.tenant_id())
            && is(self.session.as_deref(), record.session_id())
            && is(self.stage.as_deref(), record.stage())
            && is(self.event.as_ref(), Some(&record.event()))
            && self.level.is_none_or(|level| record.level() >= level)
            && self.since.is_none_or(|since| record.timestamp() >= since)
            && self.until.is_none_or(|until| record.timestamp() < until)
            && self.text.as_deref().is_none_or(|text| mentions(record, text))
    }
}

/// Returns `true` if the record's message, error type or error message contains the text, in any
/// case.
fn mentions(record: &Record, text: &str) -> bool {
    let text = text.to_lowercase();
    let contains = |part: &str| part.to_lowercase().contains(&text);
    let error = record.error();
    contains(&record.message()) || error.is_some_and(|error| contains(error.type_name()) || contains(error.message()))
}

/// Parses the name of an event.
fn event(name: &str) -> Result<Event, String> {
    Event::from_name(&name.to_ascii_lowercase())
        .ok_or_else(|| "give started, completed, failed, cancelled, log or score".to_owned())
}
