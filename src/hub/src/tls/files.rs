//! The files of the hub's certificate and of its key: read, or made once.
//!
//! Gates hold copies of the certificate and believe no other, so that files which can not be read are an error and
//! never a reason to make others. The key is written before the certificate: a power cut between them leaves a key
//! that nobody knows, and a start that says so.

use super::Tls;
use crate::keys;
use rcgen::{CertificateParams, DnType, KeyPair};
use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate, in the hub's `--trust` folder; gates need copies.
const CERTIFICATE: &str = "hub.crt";
/// Its key, beside it; the hub's alone.
const KEY: &str = "hub-tls.key";
/// What the certificate calls the hub.
const NAME: &str = "menshen-hub";

/// A certificate and where it came from.
#[derive(Debug)]
pub struct TlsFiles {
    /// What to serve with.
    pub tls: Tls,
    /// The file of the certificate, which gates need a copy of.
    pub certificate: PathBuf,
    /// Whether it was made just now.
    pub made: bool,
}

/// Why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can not be read or made.
    #[error("{path} can not be read or made ({source}); correct the path or its permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One of two files is gone.
    #[error(
        "{missing} is missing beside {there}; restore it from its backup, or remove {there} too and give every gate the new hub.crt"
    )]
    Half {
        /// The one that is gone.
        missing: PathBuf,
        /// The one that is there.
        there: PathBuf,
    },
    /// Others can read the key.
    #[error("{0} can be read by others; run `chmod 600` on it")]
    Exposed(PathBuf),
    /// No certificate in the file.
    #[error("{0} holds no certificate in PEM; restore it from its backup")]
    NoCertificate(PathBuf),
    /// No key in the file.
    #[error("{0} holds no private key in PEM; restore it from its backup")]
    NoKey(PathBuf),
    /// Certificate and key do not go together, or are of a kind that is not spoken.
    #[error("{certificate} and {key} can not be served with ({source}); name a certificate and its own key")]
    Unfit {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// The library made no certificate.
    #[error("no certificate can be made ({0}); please report this, and name one with --tls-cert and --tls-key")]
    Make(#[from] rcgen::Error),
}

impl TlsFiles {
    /// Reads `hub.crt` and `hub-tls.key` in the folder `trust`, or makes them where neither is there. `address` is put
    /// into a new certificate for browsers; gates do not look at it.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn load_or_make(trust: &Path, address: IpAddr) -> Result<TlsFiles, TlsError> {
        let (certificate, key) = (trust.join(CERTIFICATE), trust.join(KEY));
        let made = match (is_there(&certificate)?, is_there(&key)?) {
            (true, true) => false,
            (true, false) => return Err(TlsError::Half { missing: key, there: certificate }),
            (false, true) => return Err(TlsError::Half { missing: certificate, there: key }),
            (false, false) => {
                make(&certificate, &key, address)?;
                true
            }
        };
        Ok(TlsFiles { made, ..TlsFiles::load(&certificate, &key)? })
    }

    /// Reads a certificate, with what an authority put behind it, and its key.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn load(certificate: &Path, key: &Path) -> Result<TlsFiles, TlsError> {
        let text = fs::read(certificate).map_err(|source| io(certificate, source))?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::NoCertificate(certificate.into()))?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate(certificate.into()));
        }
        let file = File::open(key).map_err(|source| io(key, source))?;
        if file.metadata().map_err(|source| io(key, source))?.permissions().mode() & 0o077 != 0 {
            return Err(TlsError::Exposed(key.into()));
        }
        let text = io::read_to_string(file).map_err(|source| io(key, source))?;
        let secret = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| TlsError::NoKey(key.into()))?;
        let unfit = |source| TlsError::Unfit { certificate: certificate.into(), key: key.into(), source };
        Ok(TlsFiles { tls: Tls::new(chain, secret).map_err(unfit)?, certificate: certificate.into(), made: false })
    }
}

fn io(path: &Path, source: io::Error) -> TlsError {
    TlsError::Io { path: path.into(), source }
}

fn is_there(path: &Path) -> Result<bool, TlsError> {
    path.try_exists().map_err(|source| io(path, source))
}

fn make(certificate: &Path, key: &Path, address: IpAddr) -> Result<(), TlsError> {
    let mut names = vec!["localhost".to_owned()];
    if !address.is_unspecified() {
        names.push(address.to_string());
    }
    // The dates are rcgen's own, 1975 to 4096: a hub does not end because a year does.
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, NAME);
    let pair = KeyPair::generate()?;
    let signed = params.self_signed(&pair)?;
    for (path, mode, text) in [(key, 0o600, pair.serialize_pem()), (certificate, 0o644, signed.pem())] {
        keys::write_once(path, mode, &text).map_err(|source| io(path, source))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn load_or_make(folder: &Path) -> Result<TlsFiles, TlsError> {
        TlsFiles::load_or_make(folder, Ipv4Addr::LOCALHOST.into())
    }

    #[test]
    fn a_certificate_is_made_once_for_everybody_to_copy_and_only_its_owner_can_read_the_key() {
        // As the hub's program does.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let folder = tempfile::tempdir().expect("a folder");
        let trust = folder.path().join("trust");
        let made = load_or_make(&trust).expect("makes one");
        let read = load_or_make(&trust).expect("reads it");
        assert!(made.made && !read.made);
        assert_eq!(made.tls.fingerprint(), read.tls.fingerprint());
        let mode = |name| fs::metadata(trust.join(name)).expect("is there").permissions().mode() & 0o777;
        assert_eq!((mode(KEY), mode(CERTIFICATE)), (0o600, 0o644));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        load_or_make(folder.path()).expect("makes one");
        fs::set_permissions(folder.path().join(KEY), fs::Permissions::from_mode(0o640)).expect("own file");
        assert!(matches!(load_or_make(folder.path()), Err(TlsError::Exposed(_))));
    }

    #[test]
    fn half_of_it_is_an_error_and_stays_as_it_is() {
        for gone in [KEY, CERTIFICATE] {
            let folder = tempfile::tempdir().expect("a folder");
            load_or_make(folder.path()).expect("makes one");
            fs::remove_file(folder.path().join(gone)).expect("own file");
            let error = load_or_make(folder.path()).expect_err("half").to_string();
            assert!(error.contains(&format!("{gone} is missing")) && error.contains("backup"), "{error}");
            assert!(!folder.path().join(gone).exists());
        }
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        load_or_make(one.path()).expect("makes one");
        load_or_make(other.path()).expect("makes one");
        let load = |certificate: &Path, key: &Path| TlsFiles::load(certificate, key).map(|_| ());
        let (certificate, key) = (one.path().join(CERTIFICATE), one.path().join(KEY));
        assert!(matches!(load(&certificate, &other.path().join(KEY)), Err(TlsError::Unfit { .. })));
        assert!(matches!(load(&key, &key), Err(TlsError::NoCertificate(_))));
        fs::set_permissions(&certificate, fs::Permissions::from_mode(0o600)).expect("own file");
        assert!(matches!(load(&certificate, &certificate), Err(TlsError::NoKey(_))));
        assert!(matches!(load(&one.path().join("absent"), &key), Err(TlsError::Io { .. })));
    }
}
