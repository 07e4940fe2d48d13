//! The settings of LangSmith's sinks: destination, key and project.

use hyper::header::HeaderName;
use ragtrace::sink::SinkError;

use super::run::Common;
use crate::http::{Endpoint, Key, Request};

/// The default URL: LangSmith in the United States.
const ENDPOINT: &str = "https://api.smith.langchain.com";
/// The default project, as in LangSmith's own clients.
const PROJECT: &str = "default";

/// The settings of a sink.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    endpoint: Result<Endpoint, String>,
    key: Key,
    workspace: Option<String>,
    pub(super) common: Common,
}

impl Settings {
    pub(super) fn new(key: Key) -> Self {
        let common = Common { project: PROJECT.to_owned(), tags: Vec::new() };
        Self { endpoint: parsed(ENDPOINT), key, workspace: None, common }
    }

    pub(super) fn set_endpoint(&mut self, endpoint: Result<Endpoint, String>) {
        self.endpoint = endpoint;
    }

    pub(super) fn set_project(&mut self, name: String) {
        self.common.project = if name.is_empty() { PROJECT.to_owned() } else { name };
    }

    pub(super) fn set_workspace(&mut self, id: String) {
        self.workspace = Some(id).filter(|id| !id.is_empty());
    }

    /// Returns a GET request for `path`.
    ///
    /// # Errors
    ///
    /// Returns an error that parks the sink if the endpoint's URL is malformed.
    pub(super) fn get(&self, path: &str) -> Result<Request, SinkError> {
        Ok(self.authorized(Request::get(&self.at(path)?)))
    }

    /// Returns a POST request for `path`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get).
    pub(super) fn post(&self, path: &str) -> Result<Request, SinkError> {
        Ok(self.authorized(Request::post(&self.at(path)?)))
    }

    /// Returns the URL without secrets.
    pub(super) fn shown(&self) -> String {
        self.endpoint.as_ref().map_or_else(String::clone, ToString::to_string)
    }

    fn at(&self, path: &str) -> Result<Endpoint, SinkError> {
        self.endpoint.as_ref().map(|endpoint| endpoint.join(path)).map_err(|fault| SinkError::park(fault.clone()))
    }

    fn authorized(&self, request: Request) -> Request {
        let request = request.key(HeaderName::from_static("x-api-key"), "", &self.key);
        match &self.workspace {
            Some(id) => request.header("X-Tenant-Id", id),
            None => request,
        }
        .header("Accept", "application/json")
    }
}

/// Parses the URL of a LangSmith server.
pub(super) fn parsed(url: &str) -> Result<Endpoint, String> {
    url.parse::<Endpoint>().map_err(|error| format!("LANGSMITH_ENDPOINT: {error}"))
}
