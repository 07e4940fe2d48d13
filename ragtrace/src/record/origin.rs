//! Which process a record comes from.

use uuid::Uuid;

/// A process that records: the same for everything of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub(crate) service: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) instance: Uuid,
}

impl Origin {
    /// Makes a process of which nothing but its id is known, as a sink's tests may.
    pub fn new(instance: Uuid) -> Self {
        Self { service: None, environment: None, version: None, host: None, instance }
    }

    /// Sets the service.
    pub fn with_service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Sets the environment.
    pub fn with_environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// Sets the service's version.
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the host's name.
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Returns the id of the process.
    pub fn instance(&self) -> Uuid {
        self.instance
    }

    /// Returns the service, as set up.
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// Returns the environment, as set up.
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// Returns the service's version, as set up.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Returns the host's name.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }
}
