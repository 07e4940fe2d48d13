//! Writes the links of a span for backends that have no place of their own for them.

use ragtrace::__json::Object;
use ragtrace::Record;

/// The name of the member with the links.
pub(crate) const LINKS: &str = "links";

/// Writes the links of a record in the form of the canonical JSON, or nothing if it has none.
pub(crate) fn write_links(object: &mut Object<'_>, record: &Record) {
    if record.links().is_empty() {
        return;
    }
    object.list(LINKS, record.links(), |out, link| {
        let mut object = Object::open(out);
        object.uuid("trace_id", link.trace_id.as_uuid());
        object.hex("span_id", link.span_id.as_u64());
        object.close();
    });
}
