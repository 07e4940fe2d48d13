//! The layer: what an application sets, and what it is put around a service with.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use ragtrace_core::RequestContext;
use tower_layer::Layer;

use super::Trace;
use super::fields::is_credential;
use super::settings::Settings;

/// Makes each request of a service a trace; see [the module](super) for what that means.
///
/// Closures are called once a request, before the service is, and outside of the request's context.
/// They are to be quick. One that panics is passed over: the request goes on as if it had not been
/// set ([`TraceLayer::public_endpoint_if`]: as if the caller were a stranger).
#[derive(Clone)]
pub struct TraceLayer {
    settings: Arc<Settings>,
}

impl TraceLayer {
    /// Makes a layer that believes the trace that a request's headers name, and nothing of what
    /// they say of its user.
    ///
    /// The stages of its requests have the place of this call in their records, or that of the
    /// layer that was the first in this process to name a stage so, as where two servers have the
    /// same route.
    #[track_caller]
    pub fn new() -> Self {
        Self { settings: Arc::new(Settings::new()) }
    }

    /// Sets how a request's route is found where axum has not matched it: the pattern of the route,
    /// never the path.
    ///
    /// ```
    /// use ragtrace::http::TraceLayer;
    ///
    /// let layer = TraceLayer::new().route(|parts| match parts.uri.path() {
    ///     "/" => Some("/"),
    ///     path if path.starts_with("/documents/") => Some("/documents/{id}"),
    ///     _ => None,
    /// });
    /// ```
    pub fn route(mut self, route: impl for<'a> Fn(&'a Parts) -> Option<&'a str> + Send + Sync + 'static) -> Self {
        self.edit().route = Some(Arc::new(route));
        self
    }

    /// Leaves out the requests for which `skip` returns true, such as those of a load balancer that
    /// asks whether the service is well. They have no record, no context and no headers of ours; a
    /// stage inside starts a trace of its own.
    ///
    /// ```
    /// use ragtrace::http::TraceLayer;
    ///
    /// let layer = TraceLayer::new().skip(|parts| matches!(parts.uri.path(), "/healthz" | "/metrics"));
    /// ```
    pub fn skip(mut self, skip: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.edit().skip = Some(Arc::new(skip));
        self
    }

    /// Starts a new trace for each request, and keeps the caller's as a link. Whoever picks the id
    /// of a trace picks whether it is sampled, and could write into a trace of somebody else's: a
    /// service that strangers call believes nobody.
    ///
    /// Besides the link, `X-Request-ID` is kept. The caller's flags, `tracestate`, baggage and
    /// LangSmith run are not, and so do not go on to other services.
    pub fn public_endpoint(self) -> Self {
        self.public_endpoint_if(|_| true)
    }

    /// Does as [`TraceLayer::public_endpoint`] for the requests for which `is_public` returns true.
    /// It should go by what has been verified, such as an extension that an outer layer left: a
    /// header can be sent by anybody.
    pub fn public_endpoint_if(mut self, is_public: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.edit().is_public = Some(Arc::new(is_public));
        self
    }

    /// Sets who asks, from what the application has verified: a session, a token, what an outer
    /// layer left in the extensions.
    ///
    /// ```
    /// use ragtrace::http::TraceLayer;
    ///
    /// #[derive(Clone)]
    /// struct Session {
    ///     user: String,
    ///     tenant: String,
    /// }
    ///
    /// let layer = TraceLayer::new().identify(|parts, context| match parts.extensions.get::<Session>() {
    ///     Some(session) => context.with_user_id(&session.user).with_tenant_id(&session.tenant),
    ///     None => context,
    /// });
    /// ```
    ///
    /// The request has the context that the closure returns, whatever its headers said.
    pub fn identify(
        mut self,
        identify: impl Fn(&Parts, RequestContext) -> RequestContext + Send + Sync + 'static,
    ) -> Self {
        self.edit().identify = Some(Arc::new(identify));
        self
    }

    /// Takes the user from the header `X-User-ID`: for a service behind a proxy that sets it and
    /// takes away what clients send. The value has at most 256 bytes, and no control characters;
    /// any other is passed over.
    pub fn trust_user_header(mut self) -> Self {
        self.edit().trusts_user_header = true;
        self
    }

    /// Sets the type of all requests, such as `query`. For a type a route, set it in
    /// [`TraceLayer::identify`].
    pub fn request_type(mut self, request_type: impl Into<String>) -> Self {
        self.edit().request_type = Some(request_type.into().into());
        self
    }

    /// Sets whether answers have the header `Server-Timing`, with which browsers' agents find the
    /// trace (on unless set). `X-Trace-ID` is there in any case.
    pub fn server_timing(mut self, is_on: bool) -> Self {
        self.edit().has_server_timing = is_on;
        self
    }

    /// Records the address of whoever asks (`client.address`), which is personal data in many
    /// places. It is what the closure makes of the connection or of a header that a proxy of the
    /// application's own sets.
    pub fn client_address(mut self, address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.edit().client_address = Some(Arc::new(address));
        self
    }

    /// Sets whether the query of a request is recorded (`url.query`; off unless set). At most 2 KiB
    /// are, and what looks like a secret is redacted with all else.
    pub fn capture_query(mut self, is_on: bool) -> Self {
        self.edit().has_query = is_on;
        self
    }

    /// Records these headers of requests (`http.request.header.…`), of each at most 2 KiB. Those
    /// that carry credentials (`Authorization`, `Proxy-Authorization`, `Cookie`), and values that
    /// are marked as sensitive, are passed over.
    pub fn capture_request_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let settings = self.edit();
        settings.request_headers = names.into_iter().filter(|name| !is_credential(name)).collect();
        settings.declare_headers();
        self
    }

    /// Records these headers of answers (`http.response.header.…`), as
    /// [`TraceLayer::capture_request_headers`] those of requests; `Set-Cookie` is passed over.
    pub fn capture_response_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let settings = self.edit();
        settings.response_headers = names.into_iter().filter(|name| !is_credential(name)).collect();
        settings.declare_headers();
        self
    }

    fn edit(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

impl Default for TraceLayer {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace::new(inner, Arc::clone(&self.settings))
    }
}

impl fmt::Debug for TraceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceLayer").finish_non_exhaustive()
    }
}
