//! Certificates of every kind: an authority, and the certificates that it signs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ragtrace::uuid::Uuid;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tempfile::TempDir;

/// An authority, whose certificate clients may trust, with a folder for the files.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    chain: String,
    key: String,
    /// The authority whose clients are accepted, if not all are.
    clients_of: Option<String>,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// Creates an authority that nobody trusts yet.
    ///
    /// # Panics
    ///
    /// Panics if no key can be generated.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        // Two authorities with the same name could be mistaken for one another.
        params.distinguished_name.push(DnType::CommonName, Uuid::now_v7().to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        Self { issuer, folder: TempDir::new().expect("a folder") }
    }

    /// Returns the authority's certificate in PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes the authority's certificate to a file.
    pub fn file(&self) -> PathBuf {
        self.write("authority.pem", &self.pem())
    }

    /// Writes a file into the authority's folder, which is removed together with the authority.
    ///
    /// # Panics
    ///
    /// Panics if the file cannot be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Returns the folder that [`write`](Self::write) writes to.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Creates a certificate for a host, or for a client.
    ///
    /// # Panics
    ///
    /// Panics if the name is invalid.
    pub fn certificate(&self, name: &str) -> Certificate {
        self.sign(&CertificateParams::new([name.to_owned()]).expect("a name"))
    }

    /// Creates a certificate for a host that expired long ago.
    ///
    /// # Panics
    ///
    /// Panics if the name is invalid.
    pub fn expired(&self, name: &str) -> Certificate {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certificate { chain: signed.pem(), key: key.serialize_pem(), clients_of: None }
    }
}

impl Certificate {
    /// Accepts only clients that have a certificate of this authority.
    pub fn for_clients_of(mut self, authority: &Authority) -> Self {
        self.clients_of = Some(authority.pem());
        self
    }

    /// Returns the certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.chain
    }

    /// Returns the certificate's key in PEM.
    pub fn key_pem(&self) -> &str {
        &self.key
    }

    pub(crate) fn server(&self, is_http2: bool) -> ServerConfig {
        let read = |pem: &str| {
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().expect("certificates")
        };
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().expect("versions of TLS");
        let builder = match &self.clients_of {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add_parsable_certificates(read(pem));
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("a key");
        let mut config = builder.with_single_cert(read(&self.chain), key).expect("a certificate and its key");
        config.alpn_protocols = if is_http2 { vec![b"h2".to_vec()] } else { vec![b"http/1.1".to_vec()] };
        config
    }
}
