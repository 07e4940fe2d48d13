//! The reason why a request got no answer, in words that help an operator.

use std::error::Error;
use std::fmt;
use std::io;

use hyper_util::client::legacy;
use ragtrace::sink::SinkError;
use rustls::{AlertDescription, CertificateError};

/// The reason why there is no answer.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) message: String,
    /// `true` if nothing changes before an operator acts.
    pub(super) is_lasting: bool,
}

impl Cause {
    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_lasting: false }
    }

    pub(super) fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_lasting: true }
    }

    /// Converts the cause into the sink's error.
    pub(super) fn into_sink_error(self, message: String) -> SinkError {
        if self.is_lasting { SinkError::park(message) } else { SinkError::retry(message) }
    }

    /// Returns the cause of an error of the HTTP client.
    pub(super) fn of_client(error: &legacy::Error) -> Self {
        match error.source() {
            Some(source) => Self::of(source),
            None => Self::passing(error.to_string()),
        }
    }

    /// Returns the cause of an error: the first among it and its sources that says more than that
    /// there was an error.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let chain: Vec<_> = std::iter::successors(Some(error), |&error| error.source()).take(16).collect();
        if let Some(error) = chain.iter().find_map(|error| error.downcast_ref::<Self>()) {
            return error.clone();
        }
        if let Some(error) = chain.iter().find_map(|error| error.downcast_ref::<io::Error>()) {
            return Self::of_io(error, None);
        }
        if let Some(error) = chain.iter().find_map(|error| error.downcast_ref::<hyper::Error>()) {
            if error.is_incomplete_message() {
                return Self::passing("the connection was closed in the middle of the answer");
            }
            if error.is_parse() {
                return Self::passing(format!("the answer is not HTTP ({error})"));
            }
        }
        let mut messages: Vec<_> = chain.iter().map(ToString::to_string).collect();
        messages.dedup();
        Self::passing(messages.join(": "))
    }

    /// Returns the cause of a connection's error, which may be one of TLS. `trusted` is the setting
    /// that names a file of trusted issuers, if there is one.
    pub(super) fn of_io(error: &io::Error, trusted: Option<&str>) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::of_tls(error, trusted),
            None => Self::passing(io_message(error)),
        }
    }

    /// Returns the cause of a TLS error, with advice.
    fn of_tls(error: &rustls::Error, trusted: Option<&str>) -> Self {
        match error {
            rustls::Error::InvalidCertificate(fault) => {
                Self::lasting(format!("the server's certificate is not valid: {}", certificate_advice(fault, trusted)))
            }
            rustls::Error::AlertReceived(alert) => match alert {
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied => Self::lasting(format!(
                    "the server does not accept the client certificate ({alert:?}): set one that it accepts"
                )),
                alert => Self::passing(format!("the server ended TLS ({alert:?})")),
            },
            rustls::Error::InvalidMessage(_) => {
                Self::lasting(format!("the server does not speak TLS ({error}): is its URL one of `http://`?"))
            }
            error => Self::passing(format!("TLS failed: {error}")),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Cause {}

fn certificate_advice(fault: &CertificateError, trusted: Option<&str>) -> String {
    match fault {
        // A bad signature comes from another issuer with the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => match trusted {
            Some(setting) => {
                format!("its issuer is unknown: add the issuer's certificate to the file that {setting} names")
            }
            None => "its issuer is unknown: add the issuer's certificate to the system's, or set SSL_CERT_FILE to a \
                     file of it in PEM"
                .to_owned(),
        },
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired: renew it, or set this machine's clock".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: check this machine's clock".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("it is for another host: check the host in the URL ({fault})")
        }
        fault => fault.to_string(),
    }
}

/// Returns the message of an I/O error, without the operating system's number if the error's kind
/// says as much.
pub(super) fn io_message(error: &io::Error) -> String {
    let kind = error.kind();
    if error.raw_os_error().is_some() && !kind.to_string().contains("error") {
        return kind.to_string();
    }
    error.to_string()
}
