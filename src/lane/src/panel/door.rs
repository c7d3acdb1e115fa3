//! How many may stand at the panel's door, and for how long without a word.
//!
//! Every connection takes a file descriptor of the gate, and the camera, the journal and the hub need theirs. So
//! there are never more than [`MAX_CONNECTIONS`]; one more waits outside until another leaves, and one that has not
//! asked for anything that could be answered within [`FIRST_ANSWER`] is shown out, however slowly it goes on talking, and so
//! is one that was told nothing for [`SILENCE`], or does not hear any more. No place on the network has more than its share
//! of them ([`MAX_OF_ONE`], [`MAX_OF_NETWORK`]). Each listener has a door of its own, so that whoever crowds
//! the network's keeps nobody from the gate's own screen.

use super::pin::place_of;
use super::session::From;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// How many connections there are at most: every screen that may watch, and as many pages being loaded.
pub(super) const MAX_CONNECTIONS: usize = 2 * super::MAX_WATCHERS;
/// How many of them one place on the network may have: a browser opens six for a page.
const MAX_OF_ONE: usize = 24;
/// The same for an IPv6 network of 64 bits, in which many phones may be and one phone has as many addresses as it likes.
const MAX_OF_NETWORK: usize = 96;
/// A browser sends its request at once, and the gate answers at once but where PINs wait to be looked at.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// A page that watches hears a beat every two seconds; another's connection stays open for a while, for its next request.
const SILENCE: Duration = Duration::from_secs(30);
/// How long what was sent may be on its way, in milliseconds: a phone that went away is not waited for.
const HEARD_WITHIN_MS: u32 = 20_000;

/// A listener that counts.
pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    /// How many there are of each place on the network.
    crowd: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Door {
    pub(super) fn new(listener: TcpListener) -> Door {
        Door { listener, places: Arc::new(Semaphore::new(MAX_CONNECTIONS)), crowd: Arc::default() }
    }
}

/// One of a place on the network, counted until it is dropped.
struct OfOne {
    from: IpAddr,
    crowd: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl OfOne {
    /// Counts one more; `None` where there are too many already.
    fn count(from: IpAddr, crowd: &Arc<Mutex<HashMap<IpAddr, usize>>>) -> Option<OfOne> {
        // Each count is whole after any panic.
        let mut counts = crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(from).or_default();
        let most = if from.is_ipv6() { MAX_OF_NETWORK } else { MAX_OF_ONE };
        if *count >= most && !from.is_loopback() {
            return None;
        }
        *count += 1;
        Some(OfOne { from, crowd: Arc::clone(crowd) })
    }
}

impl Drop for OfOne {
    fn drop(&mut self) {
        let mut counts = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let left = counts.get(&self.from).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            counts.remove(&self.from);
        } else {
            counts.insert(self.from, left);
        }
    }
}

impl Listener for Door {
    type Io = Visitor;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visitor, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, addr, of_one) = loop {
            let (stream, addr) = Listener::accept(&mut self.listener).await;
            if let Some(of_one) = OfOne::count(place_of(addr.ip().to_canonical()), &self.crowd) {
                break (stream, addr, of_one);
            }
        };
        // A verdict is one small packet and does not wait for a second one; a socket that refuses is only slower.
        let _ = stream.set_nodelay(true);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, HEARD_WITHIN_MS);
        (Visitor { stream, until: Box::pin(sleep(FIRST_ANSWER)), _place: place, _of_one: of_one }, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for From {
    fn connect_info(stream: IncomingStream<'_, Door>) -> From {
        From(*stream.remote_addr())
    }
}

/// A connection that gives its place back when it ends.
pub(super) struct Visitor {
    stream: TcpStream,
    /// Until when it must have been told something.
    until: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
    _of_one: OfOne,
}

impl AsyncRead for Visitor {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Visitor {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.until.as_mut().reset(Instant::now() + SILENCE);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn one_place_on_the_network_takes_no_more_than_its_share_and_gives_it_back() {
        let crowd = Arc::default();
        let (there, other) = ("192.168.8.20".parse().unwrap(), "192.168.8.21".parse().unwrap());
        let mut all: Vec<OfOne> = (0..MAX_OF_ONE).map(|_| OfOne::count(there, &crowd).unwrap()).collect();
        assert!(OfOne::count(there, &crowd).is_none());
        assert!(OfOne::count(other, &crowd).is_some());
        all.pop();
        assert!(OfOne::count(there, &crowd).is_some());
        drop(all);
        assert!(crowd.lock().unwrap().is_empty());
    }
}
