//! The network between a browser and a panel, to be taken away as networks go: with a word, or without one.
//!
//! A browser that is told to be offline opens no new connection and keeps the ones it has; a cable does better. So there is a
//! relay between, which passes every byte on and can stop.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{sleep, spawn};
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Bytes come through.
    Up,
    /// Every connection is closed, and none comes about.
    Down,
    /// Nothing comes through and nobody is told, as out of reach of a radio.
    Silent,
    /// The test is over.
    Ended,
}

/// A relay to a panel; it ends when dropped.
pub struct Line {
    addr: SocketAddr,
    network: Arc<Mutex<Network>>,
}

impl Line {
    /// A relay on any port.
    pub fn to(panel: SocketAddr) -> Line {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the machine has a free port");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let network = Arc::new(Mutex::new(Network::Up));
        let shared = network.clone();
        spawn(move || {
            for here in listener.incoming().map_while(Result::ok) {
                match *lock(&shared) {
                    Network::Ended => return,
                    Network::Down => continue,
                    Network::Up | Network::Silent => {}
                }
                // Where the panel is gone, the browser's side is closed too.
                let Ok(there) = TcpStream::connect(panel) else { continue };
                relay(here, there, &shared);
            }
        });
        Line { addr, network }
    }

    /// Where it is.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How the network is from now on.
    pub fn network(&self, network: Network) {
        *lock(&self.network) = network;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.network(Network::Ended);
        // The listener learns of it from one more visitor; it may have ended by itself.
        drop(TcpStream::connect(self.addr));
    }
}

fn relay(here: TcpStream, there: TcpStream, network: &Arc<Mutex<Network>>) {
    let ways = [(here.try_clone(), there.try_clone()), (Ok(there), Ok(here))];
    for (from, to) in ways {
        let (from, to) = (from.expect("the system has a handle"), to.expect("the system has a handle"));
        let network = network.clone();
        spawn(move || carry(from, to, &network));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, network: &Mutex<Network>) {
    let mut bytes = [0; 16 << 10];
    from.set_read_timeout(Some(LOOK_EVERY)).expect("it is not zero");
    loop {
        let state = *lock(network);
        match state {
            Network::Up => {}
            Network::Silent => {
                sleep(LOOK_EVERY);
                continue;
            }
            Network::Down | Network::Ended => break,
        }
        match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) if to.write_all(&bytes[..count]).is_ok() => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Ok(_) | Err(_) => break,
        }
    }
    // Either may be closed already.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

fn lock(network: &Mutex<Network>) -> MutexGuard<'_, Network> {
    // One word is always whole.
    network.lock().unwrap_or_else(PoisonError::into_inner)
}
