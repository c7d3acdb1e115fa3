//! TLS of the hub: its certificate and key, and connections that have shaken hands.
//!
//! Gates know the hub by the very certificate, not by a name or a date, so one that the hub signs for itself is as good
//! as one of an authority, and it is made to outlive the hub. TLS 1.3 only.

mod files;
mod listener;

pub use files::{TlsError, TlsFiles};
pub(crate) use listener::TlsListener;

use menshen_core::ids::{Hex, sha256};
use std::fmt;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// A certificate with its key, ready to be shown.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    fingerprint: [u8; 32],
}

impl Tls {
    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Tls, rustls::Error> {
        let fingerprint = sha256(chain.first().map_or(&[], |first| first.as_ref()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config), fingerprint })
    }

    /// The SHA-256 of the certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the key.
        f.debug_tuple("Tls").field(&Hex(&self.fingerprint).to_string()).finish()
    }
}
