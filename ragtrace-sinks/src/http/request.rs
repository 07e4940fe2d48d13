//! A request, before the keys in it are read.

use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::http::Method;

use super::body::Body;
use super::endpoint::Endpoint;
use super::key::{Key, sensitive};
use super::secrets::Secrets;
use crate::quote::quoted;

/// A request to an [`Endpoint`].
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: Method,
    pub(super) endpoint: Endpoint,
    headers: HeaderMap,
    keys: Vec<(HeaderName, &'static str, Key)>,
    pub(super) body: Bytes,
    /// The first header that was invalid.
    fault: Option<String>,
}

impl Request {
    /// Creates a GET request.
    pub fn get(endpoint: &Endpoint) -> Self {
        Self::new(Method::GET, endpoint)
    }

    /// Creates a POST request.
    pub fn post(endpoint: &Endpoint) -> Self {
        Self::new(Method::POST, endpoint)
    }

    fn new(method: Method, endpoint: &Endpoint) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(value) = endpoint.authorization() {
            headers.insert(AUTHORIZATION, value.clone());
        }
        let (endpoint, keys, body) = (endpoint.clone(), Vec::new(), Bytes::new());
        Self { method, endpoint, headers, keys, body, fault: None }
    }

    /// Sets a header, whose name may be in any case. An invalid header makes
    /// [`Client::send`](super::Client::send) fail.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.set(name, HeaderValue::from_str(value).ok());
        self
    }

    /// Sets a header whose value must not be shown.
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.set(name, sensitive(value));
        self
    }

    fn set(&mut self, name: &str, value: Option<HeaderValue>) {
        match (HeaderName::from_bytes(name.as_bytes()), value) {
            (Ok(name), Some(value)) => {
                self.headers.insert(name, value);
            }
            (Ok(name), None) => {
                let what = "has an invalid character: set one line of ASCII";
                self.fault.get_or_insert(format!("the value of the header `{name}` {what}"));
            }
            (Err(_), _) => {
                self.fault.get_or_insert(format!("{} is not a valid header name", quoted(name)));
            }
        }
    }

    /// Sets a header to a key, with a prefix such as `Bearer `, which may be empty.
    pub fn key(mut self, name: HeaderName, prefix: &'static str, key: &Key) -> Self {
        self.keys.push((name, prefix, key.clone()));
        self
    }

    /// Sets the body and its content type.
    pub fn body(mut self, content_type: &str, body: &Body) -> Self {
        if let Some(encoding) = body.encoding() {
            self.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        self.body = body.bytes().clone();
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Reads the keys, and returns all headers and the secrets among them.
    ///
    /// # Errors
    ///
    /// Returns an error if a key cannot be read, or a header is invalid.
    pub(super) async fn headers(&self) -> Result<(HeaderMap, Secrets), String> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let (mut headers, mut secrets) = (self.headers.clone(), Secrets::default());
        for (name, prefix, key) in &self.keys {
            let text = format!("{prefix}{}", key.read().await?);
            let value = sensitive(&text).ok_or_else(|| format!("{key:?} does not fit into a header"))?;
            headers.insert(name.clone(), value);
        }
        for value in headers.values().filter(|value| value.is_sensitive()) {
            secrets.add(&String::from_utf8_lossy(value.as_bytes()));
        }
        Ok((headers, secrets))
    }
}
