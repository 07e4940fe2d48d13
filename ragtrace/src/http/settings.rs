//! The settings of a layer, as one value that all of a layer's services share.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use ragtrace_core::{FieldDescriptor, RequestContext, StageDescriptor, StageKind, guard};

use super::fields::{FIELDS, captured_header};

/// A question about a request.
pub(super) type Predicate = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;
type Route = Arc<dyn for<'a> Fn(&'a Parts) -> Option<&'a str> + Send + Sync>;
type Identify = Arc<dyn Fn(&Parts, RequestContext) -> RequestContext + Send + Sync>;
type ClientAddress = Arc<dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync>;

/// The settings of a layer.
#[derive(Clone)]
pub(super) struct Settings {
    /// The descriptor of a request's stage but for its name.
    pub(super) template: StageDescriptor,
    pub(super) route: Option<Route>,
    pub(super) skip: Option<Predicate>,
    pub(super) is_public: Option<Predicate>,
    pub(super) identify: Option<Identify>,
    pub(super) client_address: Option<ClientAddress>,
    pub(super) request_type: Option<Arc<str>>,
    pub(super) trusts_user_header: bool,
    pub(super) has_server_timing: bool,
    pub(super) has_query: bool,
    /// Headers that are recorded, in the order of their fields behind those of `FIELDS`.
    pub(super) request_headers: Vec<HeaderName>,
    pub(super) response_headers: Vec<HeaderName>,
}

impl Settings {
    #[track_caller]
    pub(super) fn new() -> Self {
        let template = StageDescriptor::new("", "ragtrace::http")
            .with_kind(StageKind::Pipeline)
            .with_fields(&FIELDS)
            .with_http_messages();
        Self {
            template,
            route: None,
            skip: None,
            is_public: None,
            identify: None,
            client_address: None,
            request_type: None,
            trusts_user_header: false,
            has_server_timing: true,
            has_query: false,
            request_headers: Vec::new(),
            response_headers: Vec::new(),
        }
    }

    /// Declares the fields of the headers that are recorded. Descriptors live as long as the
    /// program, and so do these.
    pub(super) fn declare_headers(&mut self) {
        let of_requests = self.request_headers.iter().map(|name| captured_header("http.request.header.", name));
        let of_responses = self.response_headers.iter().map(|name| captured_header("http.response.header.", name));
        let fields: Vec<FieldDescriptor> = FIELDS.iter().copied().chain(of_requests).chain(of_responses).collect();
        self.template = self.template.with_fields(Box::leak(fields.into_boxed_slice()));
    }

    /// Returns whether the request passes without a trace.
    pub(super) fn skips(&self, parts: &Parts) -> bool {
        self.skip.as_ref().is_some_and(|skip| guard::contain(|| skip(parts)).unwrap_or_else(or(false)))
    }

    /// Returns whether the caller is a stranger. One that nobody can tell is.
    pub(super) fn is_public(&self, parts: &Parts) -> bool {
        self.is_public.as_ref().is_some_and(|is_public| guard::contain(|| is_public(parts)).unwrap_or_else(or(true)))
    }

    /// Returns the route that the application's own router gives the request.
    pub(super) fn route<'a>(&self, parts: &'a Parts) -> Option<&'a str> {
        let route = self.route.as_ref()?;
        guard::contain(|| route(parts)).unwrap_or_else(or(None))
    }

    /// Returns the address of whoever asks.
    pub(super) fn client_address(&self, parts: &Parts) -> Option<IpAddr> {
        let address = self.client_address.as_ref()?;
        guard::contain(|| address(parts)).unwrap_or_else(or(None))
    }
}

/// Returns `value` where a closure of the application's panicked: the request goes on without its
/// answer.
fn or<T>(value: T) -> impl FnOnce(Box<guard::Payload>) -> T {
    |payload| {
        guard::dispose(payload);
        value
    }
}
