//! Where the panel is served: at addresses, and on network interfaces by their names.
//!
//! A board says `127.0.0.1:8460` for its own screen and `wlan0:8460` for the volunteers' phones. An interface has its
//! address later than the gate starts, or never, or another one tomorrow; so by its name the panel listens on whatever
//! addresses it has, on it alone, and waits for an interface that is not there.

use super::PanelError;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};

/// An interface's name is shorter (`IFNAMSIZ`).
const MAX_NAME: usize = 15;
const BACKLOG: u32 = 64;
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

/// Takes an address of this device at once.
pub(super) fn bind(at: SocketAddr) -> Result<std::net::TcpListener, PanelError> {
    let failed = |source| PanelError::of(at, source);
    let listener = std::net::TcpListener::bind(at).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Waits until it can listen on an interface.
pub(super) async fn when_there(interface: &str, port: u16) -> TcpListener {
    let mut told = None;
    loop {
        match on(interface, port) {
            Ok(listener) => {
                tracing::info!("the panel is served on {interface}, port {port}");
                return listener;
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
mod tests {
    use super::*;

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
