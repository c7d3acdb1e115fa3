//! Where the panel is served: at addresses, and on network interfaces by their names.
//!
//! A board says `127.0.0.1:8460` for its own screen and `wlan0:8460` for the volunteers' phones. An interface has its
//! address later than the gate starts, or never, or another one tomorrow; so by its name the panel listens on whatever
//! addresses it has, on it alone, and waits for an interface that is not there. One that is pulled out and put in again is
//! another one to the kernel, even under its old name, so it is listened on anew.
//!
//! Invariant: an address of the loopback and another interface may have the same port.

use super::PanelError;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};

/// An interface's name is shorter (`IFNAMSIZ`).
const MAX_NAME: usize = 15;
const BACKLOG: u32 = 64;
/// Linux calls it so everywhere.
const LOOPBACK: &[u8] = b"lo";
/// How long an interface that is not there is waited for before it is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// One place where the panel is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address of this device; a gate that does not have it says so at its start.
    At(SocketAddr),
    /// All addresses of a network interface, as soon as it is there.
    On {
        /// Such as `wlan0`.
        interface: String,
        /// The TCP port.
        port: u16,
    },
}

impl Listen {
    /// Whether two of them are the same place.
    pub fn is(&self, other: &Listen) -> bool {
        self == other && !matches!(self, Listen::At(at) if at.port() == 0)
    }
}

impl From<SocketAddr> for Listen {
    fn from(at: SocketAddr) -> Listen {
        Listen::At(at)
    }
}

/// A text that is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it may be an address and a port such as \"127.0.0.1:8460\", or an interface and a port such as \"wlan0:8460\""
)]
pub struct NoPlace;

impl FromStr for Listen {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Listen, NoPlace> {
        if let Ok(at) = text.parse() {
            return Ok(Listen::At(at));
        }
        let (name, port) = text.rsplit_once(':').ok_or(NoPlace)?;
        let port: u16 = port.parse().ok().filter(|port| *port != 0).ok_or(NoPlace)?;
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b));
        let starts = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
        // What looks like a host's name would be waited for as an interface for ever.
        if !starts || name.len() > MAX_NAME || !is_name(name) || name == "localhost" {
            return Err(NoPlace);
        }
        Ok(Listen::On { interface: name.to_owned(), port })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::At(at) => at.fmt(f),
            Listen::On { interface, port } => write!(f, "{interface}:{port}"),
        }
    }
}

/// Takes an address of this device at once, in the context of a runtime.
pub(super) fn bind(at: SocketAddr) -> Result<TcpListener, PanelError> {
    let listener = || {
        let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if at.ip().is_loopback() {
            // A socket of no interface has its port on all of them, so beside it none could listen there. A kernel that
            // does not let everybody choose the interface is older than 5.7; there a port has one place.
            let _ = socket.bind_device(Some(LOOPBACK));
        }
        socket.set_reuseaddr(true)?;
        socket.bind(at)?;
        socket.listen(BACKLOG)
    };
    listener().map_err(|source| PanelError::of(at, source))
}

/// The number that the kernel gave an interface; another one of the same name has another.
fn index_of(interface: &str) -> Option<u32> {
    let path = Path::new("/sys/class/net").join(interface).join("ifindex");
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Waits until an interface is not the one any more that a listener was bound to.
pub(super) async fn until_replaced(interface: &str, bound: Option<u32>) {
    while index_of(interface) == bound {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    tracing::warn!("the network interface {interface} of the panel has gone or was put in again");
}

/// Waits until it can listen on an interface; gives the interface's number, too.
pub(super) async fn when_there(interface: &str, port: u16) -> (TcpListener, Option<u32>) {
    let mut told = None;
    loop {
        // Looked at first: where another one comes in between, it is listened on anew.
        let index = index_of(interface);
        match on(interface, port) {
            Ok(listener) => {
                tracing::info!("the panel is served on {interface}, port {port}");
                return (listener, index);
            }
            Err(error) => {
                let why = error.to_string();
                if told.as_ref() != Some(&why) {
                    tracing::warn!(
                        "the panel is not served on {interface} ({why}): it waits; `panel.listen` in the board file names it"
                    );
                }
                told = Some(why);
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn on(interface: &str, port: u16) -> io::Result<TcpListener> {
    // Both families; a system without IPv6 has the older one.
    let (socket, any) = match TcpSocket::new_v6() {
        Ok(socket) => (socket, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        Err(_) => (TcpSocket::new_v4()?, IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)),
    };
    socket.bind_device(Some(interface.as_bytes()))?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(any, port))?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn the_loopback_and_another_interface_have_the_same_port() {
        let own = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let port = own.local_addr().unwrap().port();
        let all = std::fs::read_dir("/sys/class/net").unwrap();
        let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().ok();
        let Some(other) = all.filter_map(name).find(|name| name != "lo" && index_of(name).is_some()) else {
            let told = "\n*** SKIPPED: this machine has no interface beside the loopback ***\n";
            std::io::stderr().write_all(told.as_bytes()).unwrap();
            return;
        };
        drop(on(&other, port).unwrap());
        let again = bind(([127, 0, 0, 1], port).into());
        assert!(matches!(again, Err(PanelError::InUse { .. })), "a second panel on the same address is refused");
    }

    #[tokio::test]
    async fn an_interface_that_is_another_one_by_now_is_noticed() {
        let index = index_of("lo");
        assert!(index.is_some());
        let wait = |bound| tokio::time::timeout(Duration::from_millis(50), until_replaced("lo", bound));
        assert!(wait(index).await.is_err(), "it is the same");
        assert!(wait(Some(u32::MAX)).await.is_ok());
        assert!(wait(None).await.is_ok());
    }

    #[test]
    fn an_address_or_an_interface_with_its_port_is_a_place_and_nothing_else() {
        assert_eq!("127.0.0.1:8460".parse(), Ok(Listen::At(([127, 0, 0, 1], 8460).into())));
        assert_eq!("[::1]:8460".parse::<Listen>().map(|place| place.to_string()), Ok("[::1]:8460".to_owned()));
        assert_eq!("wlan0:8460".parse(), Ok(Listen::On { interface: "wlan0".into(), port: 8460 }));
        for text in
            ["", "8460", "wlan0", "wlan0:", "wlan0:0", "wlan0:70000", "a/b:8460", "localhost:8460", "300.1.1.1:80"]
        {
            assert_eq!(text.parse::<Listen>(), Err(NoPlace), "{text}");
        }
    }
}
