//! The layer and its settings, with which an application wraps a service.

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

/// A tower layer that makes each request to a service a trace; see [the module](super).
///
/// The closures that settings take are called once for each request, before the service and outside
/// of the request's context, and should be fast. If a closure panics, the request continues as if
/// the closure had not been set; a panic in the closure of [`TraceLayer::public_endpoint_if`] makes
/// the request public.
#[derive(Clone)]
pub struct TraceLayer {
    settings: Arc<Settings>,
}

impl TraceLayer {
    /// Creates a layer that continues the trace that a request's headers name, and takes no user or
    /// tenant from them.
    ///
    /// [`extract`](super::extract) says which headers are read.
    ///
    /// The source location of its stages is that of this call. If several layers name a stage
    /// alike, for example because two servers have the same route, it is the location of the first
    /// one.
    #[track_caller]
    pub fn new() -> Self {
        Self { settings: Arc::new(Settings::new()) }
    }

    /// Sets a closure that returns the route of a request, where axum has not matched one.
    ///
    /// It has to return the pattern of the route, never the path.
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

    /// Leaves out the requests for which `skip` returns `true`, such as the health checks of a load
    /// balancer.
    ///
    /// They get no records, no context and no response headers; a stage that they run starts a
    /// trace of its own.
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

    /// Starts a new trace for each request, and keeps the caller's trace as a link.
    ///
    /// Use it for services that anybody can call: a caller that chooses the trace id chooses
    /// whether the trace is sampled, and could write into another user's trace. Besides the link,
    /// only `X-Request-ID` is kept. The caller's flags, `tracestate`, baggage and LangSmith run are
    /// ignored, and so are not sent on to other services.
    pub fn public_endpoint(self) -> Self {
        self.public_endpoint_if(|_| true)
    }

    /// Treats the requests for which `is_public` returns `true` as [`TraceLayer::public_endpoint`]
    /// does.
    ///
    /// The closure should use verified facts, such as an extension set by an outer layer, because
    /// anybody can send any header.
    pub fn public_endpoint_if(mut self, is_public: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.edit().is_public = Some(Arc::new(is_public));
        self
    }

    /// Sets a closure that adds the user to the context of a request, from facts that the
    /// application has verified: a session, a token, or an extension set by an outer layer.
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
    /// The request gets the context that the closure returns, whatever its headers said.
    pub fn identify(
        mut self,
        identify: impl Fn(&Parts, RequestContext) -> RequestContext + Send + Sync + 'static,
    ) -> Self {
        self.edit().identify = Some(Arc::new(identify));
        self
    }

    /// Reads the user from the header `X-User-ID`.
    ///
    /// Use it only behind a proxy that sets this header and removes the one that clients send. The
    /// value may have at most 256 bytes and no control characters; any other value is ignored.
    pub fn trust_user_header(mut self) -> Self {
        self.edit().trusts_user_header = true;
        self
    }

    /// Sets the type of all requests, such as `query`. To set a type for each route, use
    /// [`TraceLayer::identify`].
    pub fn request_type(mut self, request_type: impl Into<String>) -> Self {
        self.edit().request_type = Some(request_type.into().into());
        self
    }

    /// Sets whether responses have the header `Server-Timing`, by which browser agents find the
    /// trace; `true` by default.
    ///
    /// `X-Trace-ID` is always set.
    pub fn server_timing(mut self, is_on: bool) -> Self {
        self.edit().has_server_timing = is_on;
        self
    }

    /// Records the client's address (`client.address`), which is personal data in many places.
    ///
    /// The closure returns the address, from the connection or from a header that the application's
    /// own proxy sets.
    pub fn client_address(mut self, address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.edit().client_address = Some(Arc::new(address));
        self
    }

    /// Sets whether the query of a request is recorded (`url.query`); `false` by default.
    ///
    /// At most 2 KiB are recorded, and secrets are redacted as in all records.
    pub fn capture_query(mut self, is_on: bool) -> Self {
        self.edit().has_query = is_on;
        self
    }

    /// Records the given request headers (`http.request.header.…`), at most 2 KiB of each.
    ///
    /// Headers that carry credentials (`Authorization`, `Proxy-Authorization`, `Cookie`) and values
    /// marked as sensitive are never recorded.
    pub fn capture_request_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let settings = self.edit();
        settings.request_headers = names.into_iter().filter(|name| !is_credential(name)).collect();
        settings.declare_headers();
        self
    }

    /// Records the given response headers (`http.response.header.…`), as
    /// [`TraceLayer::capture_request_headers`] does for requests.
    ///
    /// `Set-Cookie` is never recorded.
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
