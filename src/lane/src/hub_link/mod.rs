//! The one way from a gate to its hub by network, in plain HTTP or by TLS.
//!
//! Whoever talks to the hub (batches, enrolment, the time, the trust repository) uses the agent that is built here,
//! so that all of it is under the same pin and shares its connections. What is carried is signed either way; TLS
//! hides from the network which gate says what.
//!
//! Invariants:
//! - By TLS the hub shows a certificate that the site file names ([`Pin`]), or nothing is sent.
//! - An `https://` address never falls back to plain HTTP.
//! - No clock is read: neither a Pi in 1970 nor a jump of its clock ends the way to the hub.

mod pin;
mod transport;

pub use pin::{Pin, PinError};
pub use transport::TlsError;

use std::time::Duration;
use transport::HubConnector;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, TcpConnector};

/// How long a connection may take to be made, the handshake of TLS (2 kB) included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// The way to one hub.
#[derive(Clone, Debug)]
pub struct HubLink {
    agent: ureq::Agent,
    base: String,
}

impl HubLink {
    /// The way to the hub at `url`, for example `http://hub.example:8470`; `https://` needs a pin.
    pub fn new(url: &str, pin: Option<&Pin>) -> HubLink {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .proxy(None)
            .build();
        let connector = TcpConnector::default().chain(HubConnector::new(pin));
        let agent = ureq::Agent::with_parts(config, connector, DefaultResolver::default());
        HubLink { agent, base: url.trim_end_matches('/').into() }
    }

    /// The hub's address, without a `/` at the end.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// What carries requests; its clones share connections.
    pub fn agent(&self) -> &ureq::Agent {
        &self.agent
    }
}
