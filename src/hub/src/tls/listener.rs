//! Accepts connections and hands on those that have shaken hands.
//!
//! Every handshake is a task of its own with a time limit, so that a client which opens and says nothing, or says it
//! slowly, holds up nobody. Who speaks plain HTTP is told so in plain HTTP.

use super::Tls;
use axum::serve::Listener;
use menshen_core::wire::MAX_MESSAGE_BYTES;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{AlertDescription, Error as RustlsError};
use tokio_rustls::server::TlsStream;

/// How long a handshake may take: 2 kB on a slow line.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);
/// As many connections may be in their handshake at once; more wait in the system's queue.
const MAX_HANDSHAKES: usize = 512;
/// Every TLS connection begins with a record of this type.
const HANDSHAKE_RECORD: u8 = 22;
/// What plain HTTP is answered with.
const BODY: &str = r#"{"error":"https_only","message":"this hub speaks TLS; write https:// in its address"}"#;

type Open = (TlsStream<TcpStream>, SocketAddr);

/// A listener whose connections are TLS.
pub(crate) struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    /// Aborted when the listener goes.
    shaking: JoinSet<Option<Open>>,
}

impl TlsListener {
    pub(crate) fn new(tcp: TcpListener, tls: &Tls) -> TlsListener {
        TlsListener { tcp, acceptor: TlsAcceptor::from(tls.config.clone()), shaking: JoinSet::new() }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Open {
        loop {
            tokio::select! {
                Some(ended) = self.shaking.join_next() => match ended {
                    Ok(Some(open)) => return open,
                    Ok(None) => {}
                    Err(error) => tracing::error!("a handshake panicked ({error}); please report this with the log"),
                },
                (stream, peer) = Listener::accept(&mut self.tcp), if self.shaking.len() < MAX_HANDSHAKES => {
                    self.shaking.spawn(shake(self.acceptor.clone(), stream, peer));
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn shake(acceptor: TlsAcceptor, stream: TcpStream, peer: SocketAddr) -> Option<Open> {
    let shaken = async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE_RECORD {
            tell_plain(stream).await?;
            return Err(io::Error::other("it speaks no TLS"));
        }
        acceptor.accept(stream).await
    };
    match timeout(HANDSHAKE_TIMEOUT, shaken).await {
        Ok(Ok(stream)) => Some((stream, peer)),
        Ok(Err(error)) if refuses_certificate(&error) => {
            tracing::warn!("{peer} does not know this hub's certificate; give it hub.crt");
            None
        }
        Ok(Err(error)) => {
            tracing::debug!("no TLS with {peer}: {error}");
            None
        }
        Err(_) => {
            tracing::debug!("{peer} took too long to begin TLS");
            None
        }
    }
}

fn refuses_certificate(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<RustlsError>());
    matches!(
        inner,
        Some(RustlsError::AlertReceived(
            AlertDescription::CertificateUnknown | AlertDescription::BadCertificate | AlertDescription::UnknownCA
        ))
    )
}

/// Answers a client that speaks plain HTTP, and takes what it still sends: a connection closed before would lose it
/// the answer.
async fn tell_plain(mut stream: TcpStream) -> io::Result<()> {
    let head = "HTTP/1.1 426 Upgrade Required\r\nupgrade: TLS/1.3, HTTP/1.1\r\nconnection: upgrade, close\r\n";
    let length = BODY.len();
    let answer = format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{BODY}");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let most = 2 * MAX_MESSAGE_BYTES as u64;
    tokio::io::copy(&mut stream.take(most), &mut tokio::io::sink()).await?;
    Ok(())
}
