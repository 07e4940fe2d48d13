//! The settings of a layer, which all of its services share.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use ragtrace_core::{FieldDescriptor, RequestContext, StageDescriptor, StageKind, guard};

use super::fields::{FIELDS, captured_header};

/// A closure that decides about a request.
pub(super) type Predicate = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;
type Route = Arc<dyn for<'a> Fn(&'a Parts) -> Option<&'a str> + Send + Sync>;
type Identify = Arc<dyn Fn(&Parts, RequestContext) -> RequestContext + Send + Sync>;
type ClientAddress = Arc<dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync>;

/// The settings of a layer.
#[derive(Clone)]
pub(super) struct Settings {
    /// The descriptor of a request's stage, without its name.
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
    /// The recorded headers, in the order of their fields, which follow those of `FIELDS`.
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

    /// Declares the fields of the recorded headers. Descriptors last as long as the program, so the
    /// fields do too.
    pub(super) fn declare_headers(&mut self) {
        let of_requests = self.request_headers.iter().map(|name| captured_header("http.request.header.", name));
        let of_responses = self.response_headers.iter().map(|name| captured_header("http.response.header.", name));
        let fields: Vec<FieldDescriptor> = FIELDS.iter().copied().chain(of_requests).chain(of_responses).collect();
        self.template = self.template.with_fields(Box::leak(fields.into_boxed_slice()));
    }

    /// Returns `true` if the request is left out.
    pub(super) fn skips(&self, parts: &Parts) -> bool {
        self.skip.as_ref().is_some_and(|skip| guard::contain(|| skip(parts)).unwrap_or_else(or(false)))
    }

    /// Returns `true` if the caller is not trusted. If the closure panics, the caller is not.
    pub(super) fn is_public(&self, parts: &Parts) -> bool {
        self.is_public.as_ref().is_some_and(|is_public| guard::contain(|| is_public(parts)).unwrap_or_else(or(true)))
    }

    /// Returns the route that the application's closure returns.
    pub(super) fn route<'a>(&self, parts: &'a Parts) -> Option<&'a str> {
        let route = self.route.as_ref()?;
        guard::contain(|| route(parts)).unwrap_or_else(or(None))
    }

    /// Returns the client's address.
    pub(super) fn client_address(&self, parts: &Parts) -> Option<IpAddr> {
        let address = self.client_address.as_ref()?;
        guard::contain(|| address(parts)).unwrap_or_else(or(None))
    }
}

/// Returns `value` in place of the result of a closure that panicked, so that the request
/// continues.
fn or<T>(value: T) -> impl FnOnce(Box<guard::Payload>) -> T {
    |payload| {
        guard::dispose(payload);
        value
    }
}
