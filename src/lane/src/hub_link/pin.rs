//! The certificate by which a gate knows its hub, and the check that it is shown that one.
//!
//! A name and a date prove a server to strangers: whoever got a certificate for the name is believed while a clock
//! says so. A gate is no stranger to its hub, may not know the time, and has no list of authorities that would be
//! kept up to date on a shelf. So it is given the very certificate. Names and dates in it count for nothing; the
//! server must show the same bytes and prove, in the handshake, that it holds their key.

use menshen_core::ids::{Hex, sha256};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io};

/// No file of certificates is longer.
const MAX_FILE_BYTES: u64 = 65_536;
/// As many digits of a certificate's SHA-256 are shown.
const SHOWN_DIGITS: usize = 16;

/// The certificates that a hub may show: one, or for the time of a change the old and the new.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin {
    certificates: Vec<CertificateDer<'static>>,
}

/// Why a file is no pin.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// It is not there, or not readable.
    #[error("{path}, which can not be read ({source})")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is longer than any certificate.
    #[error("{0}, which is too long for a certificate")]
    TooLong(PathBuf),
    /// It holds a private key.
    #[error("{0}, which holds a private key that belongs on the hub alone")]
    PrivateKey(PathBuf),
    /// It holds no certificate, or one that is damaged.
    #[error("{0}, which holds no certificate that can be read")]
    NoCertificate(PathBuf),
}

impl Pin {
    /// Reads the certificates of a PEM file.
    ///
    /// # Errors
    /// [`PinError`]; one damaged certificate refuses the file.
    pub fn read(path: &Path) -> Result<Pin, PinError> {
        let failed = |source| PinError::Read { path: path.into(), source };
        if fs::metadata(path).map_err(failed)?.len() > MAX_FILE_BYTES {
            return Err(PinError::TooLong(path.into()));
        }
        let text = fs::read(path).map_err(failed)?;
        if text.windows(11).any(|part| part == b"PRIVATE KEY") {
            return Err(PinError::PrivateKey(path.into()));
        }
        let none = || PinError::NoCertificate(path.into());
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|_| none())?;
        let sound = certificates.iter().all(|certificate| ParsedCertificate::try_from(certificate).is_ok());
        if certificates.is_empty() || !sound { Err(none()) } else { Ok(Pin { certificates }) }
    }

    fn has(&self, shown: &CertificateDer<'_>) -> bool {
        self.certificates.iter().any(|certificate| certificate.as_ref() == shown.as_ref())
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.certificates.iter().map(|certificate| mark(certificate))).finish()
    }
}

/// What tells a person one certificate from another.
fn mark(certificate: &[u8]) -> String {
    let mut digits = Hex(&sha256(certificate)).to_string();
    digits.truncate(SHOWN_DIGITS);
    digits
}

/// A server that is not the hub.
#[derive(Debug, thiserror::Error)]
#[error(
    "it shows another certificate (SHA-256 {shown}…) than the site's `hub.certificate`: if the hub has a new one, copy its hub.crt to this gate; if not, it is not the hub"
)]
pub(super) struct NotTheHub {
    shown: String,
}

/// Believes whoever shows a pinned certificate and has its key.
#[derive(Debug)]
pub(super) struct PinnedVerifier {
    pub(super) pin: Pin,
    pub(super) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.pin.has(end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        let error = NotTheHub { shown: mark(end_entity) };
        Err(CertificateError::Other(OtherError(Arc::new(error))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
