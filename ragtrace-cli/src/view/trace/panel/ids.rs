//! The ids of a span and its request, with links to what else has them, and where its code is.

use maud::{Markup, html};
use ragtrace_store::{SpanNode, Trace};

use crate::view::params::encoded;
use crate::view::show;
use crate::view::trace::text::name;

pub(super) fn section(trace: &Trace, span: SpanNode<'_>) -> Markup {
    let record = span.record();
    let filters = [
        ("User", "user", record.user_id().or(trace.user_id())),
        ("Tenant", "tenant", record.tenant_id().or(trace.tenant_id())),
        ("Session", "session", record.session_id().or(trace.session_id())),
    ];
    let plain = [
        ("Request", record.request_id().map(ToOwned::to_owned)),
        ("Request type", record.request_type().map(ToOwned::to_owned)),
        ("Service", record.service().map(ToOwned::to_owned)),
        ("Version", record.version().map(ToOwned::to_owned)),
        ("Environment", record.environment().map(ToOwned::to_owned)),
        ("Host", record.host().map(ToOwned::to_owned)),
        ("Process", Some(record.instance().to_string())),
        ("Thread", record.thread().map(ToOwned::to_owned)),
        ("Logger", Some(record.logger().to_owned())),
        ("Span", Some(span.span_id().to_string())),
        ("Parent", span.parent_span_id().map(|id| id.to_string())),
        ("Record", Some(record.id().to_string())),
        ("Source", record.source().map(|(file, line)| format!("{file}:{line}"))),
    ];
    html! {
        section data-part="origin" {
            h3 { "Origin" }
            dl.fields {
                @for (title, parameter, value) in filters {
                    @if let Some(value) = value {
                        dt { (title) }
                        dd { a href={ "/?" (parameter) "=" (encoded(value)) } { (name(value)) } (copy(value)) }
                    }
                }
                @for (title, value) in &plain {
                    @if let Some(value) = value { dt { (title) } dd { (name(value)) (copy(value)) } }
                }
                @for link in record.links() {
                    dt { "Linked from" }
                    dd { a href={ "/trace/" (link.trace_id) "#span=" (link.span_id) } { code { (link.trace_id) } } }
                }
            }
        }
    }
}

fn copy(value: &str) -> Markup {
    html! { " " button.copy type="button" data-copy=(value) aria-label={ "Copy " (show::short(value, 60)) } { "Copy" } }
}
