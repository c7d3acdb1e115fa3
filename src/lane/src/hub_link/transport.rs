//! TLS 1.3 as a transport of ureq.
//!
//! ureq's own TLS takes roots to build chains to and nothing else, so a pin needs a transport of its own. It is as
//! ureq's, with our verifier, a time that is no clock's, and a sentence for each way in which a handshake fails.

use super::pin::{NotTheHub, Pin, PinnedVerifier};
use rustls::client::ClientConfig;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConnection, OtherError, StreamOwned};
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// Why a connection by TLS is not made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The server's certificate is not a pinned one.
    #[error("{0}")]
    NotTheHub(String),
    /// What answers does not speak TLS.
    #[error("what answers there speaks no TLS: start the hub with --tls, or write http:// in `hub.url`")]
    NoTls,
    /// The connection ended in the handshake.
    #[error("the connection was closed while TLS began: the line is bad, or what is there speaks no TLS")]
    Closed,
    /// An address that no certificate could be for.
    #[error("{0} is no name or number of a host: check `hub.url`")]
    Name(String),
    /// An `https://` address without a pin.
    #[error("an https:// address needs the hub's certificate: set `hub.certificate` in the site file")]
    NoPin,
    /// Anything else.
    #[error("TLS with it failed ({0}): TLS 1.3 is needed")]
    Other(rustls::Error),
}

impl TlsError {
    fn of(error: &rustls::Error) -> TlsError {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why))) if why.is::<NotTheHub>() => {
                TlsError::NotTheHub(why.to_string())
            }
            rustls::Error::InvalidMessage(_) => TlsError::NoTls,
            error => TlsError::Other(error.clone()),
        }
    }
}

impl From<TlsError> for Error {
    fn from(error: TlsError) -> Error {
        Error::Other(Box::new(error))
    }
}

/// The time of TLS: it only orders what a connection remembers, so it begins with the program and never jumps.
#[derive(Debug)]
struct SinceStart(Instant);

impl TimeProvider for SinceStart {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(self.0.elapsed()))
    }
}

/// Puts TLS on connections to `https://` addresses.
#[derive(Debug)]
pub(super) struct HubConnector {
    config: Option<Arc<ClientConfig>>,
}

impl HubConnector {
    pub(super) fn new(pin: Option<&Pin>) -> HubConnector {
        HubConnector { config: pin.map(|pin| Arc::new(config(pin))) }
    }
}

fn config(pin: &Pin) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = PinnedVerifier { pin: pin.clone(), provider: provider.clone() };
    ClientConfig::builder_with_details(provider, Arc::new(SinceStart(Instant::now())))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has the suites of TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth()
}

impl<In: Transport> Connector<In> for HubConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let Some(below) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Either::A(below)));
        }
        let config = self.config.clone().ok_or(TlsError::NoPin)?;
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::Name(host.into()))?;
        let mut conn = ClientConnection::new(config, name).map_err(TlsError::Other)?;
        let mut sock = TransportAdapter::new(below.boxed(), details.current_time.clone());
        sock.set_timeout(details.timeout);
        conn.complete_io(&mut sock).map_err(told)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned { conn, sock } })))
    }
}

/// Why a handshake ended.
fn told(error: io::Error) -> Error {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return TlsError::of(error).into();
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            TlsError::Closed.into()
        }
        _ => error.into(),
    }
}

/// A connection by TLS.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").field("below", &self.stream.sock.inner()).finish_non_exhaustive()
    }
}
