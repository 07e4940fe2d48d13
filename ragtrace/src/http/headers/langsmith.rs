//! LangSmith's headers: `langsmith-trace`, the dotted order of the caller's run, and its members of
//! `baggage`.

use http::HeaderMap;

use super::names::LANGSMITH_TRACE;
use super::value;

/// The member that names where else runs are sent to. A caller who could would have ours sent to
/// servers of its own.
const REPLICAS: &str = "langsmith-replicas";

/// Returns the header's value. The context takes it only if it is a dotted order of at most 4 KiB.
pub(super) fn parent(headers: &HeaderMap) -> Option<&str> {
    str::from_utf8(value::only(headers, &LANGSMITH_TRACE)?).ok()
}

/// Returns true for a member of baggage that may be sent on.
pub(super) fn is_harmless(name: &str) -> bool {
    !name.get(..REPLICAS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(REPLICAS))
}
