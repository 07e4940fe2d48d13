//! TLS by rustls: trusted issuers, and the client's own certificate.

use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::stream::Stream;
use crate::http::blocking::OneAtATime;
use crate::http::cause::Cause;
use crate::quote::shown_path;

/// The versions of HTTP that are offered to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Both,
    Http1,
}

/// The settings of TLS, and the configuration made from them.
#[derive(Default)]
pub(in crate::http) struct Tls {
    sources: Arc<Sources>,
    /// Created with the first connection, and again after a connection was refused.
    config: Mutex<Option<Arc<ClientConfig>>>,
    reading: OneAtATime,
}

/// The locations of certificates and keys.
#[derive(Clone, Debug, Default)]
struct Sources {
    /// The values of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    system: (Option<PathBuf>, Option<PathBuf>),
    authorities: Option<Named>,
    /// The client's certificate and its key.
    identity: Option<(Named, Named)>,
}

/// A file, and the setting that names it.
#[derive(Clone)]
struct Named {
    name: String,
    path: PathBuf,
}

impl Tls {
    pub(in crate::http) fn authorities(self, name: &str, path: PathBuf) -> Self {
        self.with(|sources| sources.authorities = Some(Named { name: name.to_owned(), path }))
    }

    pub(in crate::http) fn identity(self, certificate: (&str, PathBuf), key: (&str, PathBuf)) -> Self {
        let named = |(name, path): (&str, PathBuf)| Named { name: name.to_owned(), path };
        self.with(|sources| sources.identity = Some((named(certificate), named(key))))
    }

    pub(in crate::http) fn variables(self, lookup: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let path = |name| lookup(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        self.with(|sources| sources.system = (path("SSL_CERT_FILE"), path("SSL_CERT_DIR")))
    }

    fn with(mut self, change: impl FnOnce(&mut Sources)) -> Self {
        change(Arc::make_mut(&mut self.sources));
        self
    }

    /// Negotiates TLS with `host` over a connection.
    pub(super) async fn wrap(&self, stream: Stream, host: &str, offer: Offer) -> Result<Stream, Cause> {
        let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned())
            .map_err(|_| Cause::lasting(format!("`{host}` is not a valid host name: check the URL")))?;
        let mut config = self.config().await?;
        if offer == Offer::Http1 {
            let mut http1 = ClientConfig::clone(&config);
            http1.alpn_protocols = vec![b"http/1.1".to_vec()];
            config = Arc::new(http1);
        }
        match TlsConnector::from(config).connect(name, stream.into_io()).await {
            Ok(stream) => {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                Ok(Stream::new(stream).http2(is_http2))
            }
            Err(error) => {
                let cause = match error.kind() {
                    ErrorKind::UnexpectedEof => Cause::passing(format!("{host} closed the connection when TLS began")),
                    _ => Cause::of_io(&error, self.sources.authorities.as_ref().map(|file| file.name.as_str())),
                };
                if cause.is_lasting {
                    // The fix may be in the files, so they are read again.
                    *self.config.lock().unwrap_or_else(PoisonError::into_inner) = None;
                }
                Err(cause)
            }
        }
    }

    async fn config(&self) -> Result<Arc<ClientConfig>, Cause> {
        let known = self.config.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(config) = known {
            return Ok(config);
        }
        let sources = Arc::clone(&self.sources);
        let made = self.reading.call(move || sources.config()).await.unwrap_or_else(|why| Err(why.to_owned()));
        let config = Arc::new(made.map_err(Cause::lasting)?);
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&config));
        Ok(config)
    }
}

impl Sources {
    /// Reads the files. This blocks.
    fn config(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| error.to_string())?.with_root_certificates(self.roots()?);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificate.certificates()?;
                let secret = PrivateKeyDer::from_pem_file(&key.path).map_err(|error| key.fault(&error.to_string()))?;
                builder
                    .with_client_auth_cert(chain, secret)
                    .map_err(|error| format!("{} and {} do not work together: {error}", certificate.name, key.name))?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        if let Some(file) = &self.authorities {
            let (added, _) = roots.add_parsable_certificates(file.certificates()?);
            return if added > 0 { Ok(roots) } else { Err(file.fault("it has no certificate")) };
        }
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(self.system_certificates()?);
        Ok(roots)
    }

    fn system_certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let (file, folder) = (self.system.0.as_deref(), self.system.1.as_deref());
        if file.is_none() && folder.is_none() {
            // If the system has no certificates, the web's issuers are enough.
            return Ok(rustls_native_certs::load_native_certs().certs);
        }
        let found = rustls_native_certs::load_certs_from_paths(file, folder);
        if found.certs.is_empty() {
            let why = found.errors.first().map_or("no certificate".to_owned(), ToString::to_string);
            let shown = |name, path: Option<&Path>| path.map(|path| format!("{name}={}", path.display()));
            let set = [shown("SSL_CERT_FILE", file), shown("SSL_CERT_DIR", folder)];
            let set: Vec<_> = set.into_iter().flatten().collect();
            return Err(format!("{}: no certificate found: {why}", set.join(", ")));
        }
        Ok(found.certs)
    }
}

impl Named {
    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let read = CertificateDer::pem_file_iter(&self.path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = read.map_err(|error| self.fault(&error.to_string()))?;
        if certificates.is_empty() { Err(self.fault("it has no certificate")) } else { Ok(certificates) }
    }

    fn fault(&self, why: &str) -> String {
        format!("{}: cannot use the file {}: {why}", self.name, shown_path(&self.path))
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, shown_path(&self.path))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.sources).finish()
    }
}
