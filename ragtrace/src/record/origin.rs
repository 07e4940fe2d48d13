//! The process that a record comes from.

use uuid::Uuid;

/// A description of a recording process, the same for all records of one installation of telemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub(crate) service: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) instance: Uuid,
}

impl Origin {
    /// Creates the origin of a process of which only the id is known, for example in a test of a
    /// sink.
    pub fn new(instance: Uuid) -> Self {
        Self { service: None, environment: None, version: None, host: None, instance }
    }

    /// Sets the name of the service.
    pub fn with_service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Sets the deployment environment.
    pub fn with_environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// Sets the version of the service.
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the name of the host.
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Returns the id of the process.
    pub fn instance(&self) -> Uuid {
        self.instance
    }

    /// Returns the name of the service, as set with [`Builder::service`](crate::Builder::service).
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// Returns the deployment environment, as set with
    /// [`Builder::environment`](crate::Builder::environment).
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// Returns the version of the service, as set with
    /// [`Builder::version`](crate::Builder::version).
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Returns the name of the host.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }
}
