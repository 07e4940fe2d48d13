//! LangSmith's headers: `langsmith-trace`, the dotted order of the caller's run, and its members of
//! `baggage`.

use http::HeaderMap;

use super::names::LANGSMITH_TRACE;
use super::value;

/// The baggage member that names further destinations for runs. It is not propagated, because a
/// caller could have this application's runs sent to servers of its choice.
const REPLICAS: &str = "langsmith-replicas";

/// Returns the value of the header. The context accepts it only if it is a dotted order of at most
/// 4 KiB.
pub(super) fn parent(headers: &HeaderMap) -> Option<&str> {
    str::from_utf8(value::only(headers, &LANGSMITH_TRACE)?).ok()
}

/// Returns `true` for a baggage member that may be propagated.
pub(super) fn is_harmless(name: &str) -> bool {
    !name.get(..REPLICAS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(REPLICAS))
}
