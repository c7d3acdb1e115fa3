//! The `[neighbours]` section: the other gates of the site, and the secret that they share.
//!
//! The secret is a file of its own and not a line of the site file, which people copy, mail and print.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use menshen_lane::history::Secret;
use menshen_lane::history::neighbours::{MAX_NEIGHBOURS, Neighbours};
use serde::Deserialize;

use super::Refused;

/// The other gates of a site.
#[derive(Clone)]
pub struct SiteNeighbours {
    /// Where this gate listens and where they do.
    pub addresses: Neighbours,
    /// What makes and reads their tags and datagrams.
    pub secret: Secret,
}

impl PartialEq for SiteNeighbours {
    fn eq(&self, other: &SiteNeighbours) -> bool {
        (&self.addresses, self.secret.0) == (&other.addresses, other.secret.0)
    }
}

impl Eq for SiteNeighbours {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NeighboursSection {
    listen: String,
    peers: Vec<String>,
    key: PathBuf,
}

impl NeighboursSection {
    pub(super) fn check(self, folder: &Path) -> Result<SiteNeighbours, Refused> {
        let listen = self.listen.parse().map_err(|_| {
            let allowed = "it must be an address and a port, such as \"0.0.0.0:8461\"";
            Refused::new("neighbours.listen", format!("{:?}", self.listen), allowed)
        })?;
        if self.peers.len() > MAX_NEIGHBOURS {
            let allowed = format!("it may name {MAX_NEIGHBOURS} gates");
            return Err(Refused::new("neighbours.peers", format!("a list of {}", self.peers.len()), allowed));
        }
        let peers = self.peers.iter().map(|peer| address(peer)).collect::<Result<Vec<_>, _>>()?;
        let path = folder.join(&self.key);
        let allowed = "it must be a file with 64 hexadecimal digits, the same at every gate of the site: \
                       make one with `openssl rand -hex 32`";
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Refused::new("neighbours.key", format!("{} ({error})", path.display()), allowed))?;
        let secret = Secret::parse(&text)
            .ok_or_else(|| Refused::new("neighbours.key", format!("{}, which is no key", path.display()), allowed))?;
        Ok(SiteNeighbours { addresses: Neighbours { listen, peers }, secret })
    }
}

fn address(peer: &str) -> Result<SocketAddr, Refused> {
    // By number: a name might not be known when the power comes back.
    peer.parse().map_err(|_| {
        let allowed = "each must be the address and port of another gate, such as \"192.168.8.12:8461\"";
        Refused::new("neighbours.peers", format!("{peer:?}"), allowed)
    })
}
