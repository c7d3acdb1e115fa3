//! What gates of one site tell each other: their visits, over the local network.
//!
//! Every gate has a log of its own visits, numbered upwards. Once a second, and at once after a visit, it tells each
//! neighbour up to which number it has whose log; who has more sends that, in order. So any gate can pass on any log, and
//! one that was away catches up. Nothing here decides: a gate that hears from nobody counts for itself, and says so.
//!
//! Invariants: what is not sealed by the site's secret is dropped unread; a log is taken without a hole or not at all,
//! so that "up to number n" is true; a datagram that comes twice, late or out of order changes nothing.

use super::sealed::{MAX_DATAGRAM_BYTES, MAX_TEXT_BYTES, Sealer};
use super::{ENTRY_BYTES, Entry, Memory, Origin, Secret};
use crate::health::{Health, Part};
use crate::ports::PortError;
use crate::threads::{self, Stop};
use menshen_core::time::Confidence;
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a gate tells what it has.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How often it looks for a visit of its own to tell at once.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A neighbour that is silent for longer is told as away.
const SILENT_AFTER: Duration = Duration::from_secs(5);
/// A visit that another gate dates within this of now, in seconds, is taken to be of now.
const JUST_NOW_S: u64 = 60;
/// The most neighbours of a gate.
pub const MAX_NEIGHBOURS: usize = 16;
/// The most logs that are listened to: the site's gates, and some whose cards were changed.
const MAX_ORIGINS: usize = 64;

const HAVE: u8 = 1;
const MORE: u8 = 2;
const ORIGIN_BYTES: usize = 8;
const HAVE_BYTES: usize = ORIGIN_BYTES + 8;
const MORE_HEAD_BYTES: usize = 1 + ORIGIN_BYTES + ORIGIN_BYTES + 8;
const NUMBERED_BYTES: usize = 8 + ENTRY_BYTES;
const MAX_ENTRIES: usize = (MAX_TEXT_BYTES - MORE_HEAD_BYTES) / NUMBERED_BYTES;
/// The most entries that are sent at once to one who lacks them; the next time it tells, it gets the next ones.
const MAX_SENT: usize = 8 * MAX_ENTRIES;

/// Where a gate's neighbours are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// Where this gate listens.
    pub listen: SocketAddr,
    /// Where the others do.
    pub peers: Vec<SocketAddr>,
}

/// A gate's end of the talk, before its port is open.
pub struct Talk {
    neighbours: Neighbours,
    sealer: Sealer,
    memory: Arc<Memory>,
}

/// The talk itself.
struct Talking<'a> {
    memory: &'a Memory,
    socket: UdpSocket,
    sealer: &'a Sealer,
    peers: Vec<(SocketAddr, Option<Instant>)>,
    begun: Instant,
}

impl Talk {
    /// A talk that begins when it is spawned.
    pub fn new(neighbours: Neighbours, secret: &Secret, memory: Arc<Memory>) -> Talk {
        Talk { neighbours, sealer: Sealer::new(secret), memory }
    }

    /// Talks until `stop` is set. A port that can not be opened yet, because the network is not there, is tried again.
    pub fn spawn(self, health: Arc<Health>, stop: Stop) -> JoinHandle<()> {
        threads::spawn("neighbours", move || {
            while !stop.is_set() {
                let ended = threads::guarded("neighbours", || {
                    self.open()?.talk(&health, &stop);
                    Ok(())
                });
                if let Err(error) = ended {
                    health.set(Part::Neighbours, Some(error.to_string()));
                    stop.sleep(TELL_EVERY);
                }
            }
        })
    }

    fn open(&self) -> Result<Talking<'_>, PortError> {
        let listen = self.neighbours.listen;
        let absent = |error: io::Error| {
            PortError::Absent(format!(
                "outings are counted for this gate alone: {listen} can not be used ({error}): check the network, or \
                 `neighbours.listen` in the site file"
            ))
        };
        let socket = UdpSocket::bind(listen).map_err(absent)?;
        socket.set_read_timeout(Some(LOOK_EVERY)).map_err(absent)?;
        let peers = self.neighbours.peers.iter().take(MAX_NEIGHBOURS).map(|peer| (*peer, None)).collect();
        Ok(Talking { memory: &self.memory, socket, sealer: &self.sealer, peers, begun: Instant::now() })
    }
}

impl Talking<'_> {
    fn talk(&mut self, health: &Health, stop: &Stop) {
        let mut told: Option<(Instant, u64)> = None;
        while !stop.is_set() {
            let newest = self.memory.newest(self.memory.own);
            if told.is_none_or(|(at, of)| at.elapsed() >= TELL_EVERY || of != newest) {
                self.tell();
                told = Some((Instant::now(), newest));
                health.set(Part::Neighbours, self.fault());
            }
            self.listen();
        }
    }

    /// Tells every neighbour what this gate has.
    fn tell(&self) {
        let mut text = vec![HAVE];
        text.extend(self.memory.own.0);
        for (origin, newest) in self.memory.have() {
            text.extend(origin.0);
            text.extend(newest.to_be_bytes());
        }
        self.peers.iter().for_each(|(peer, _)| self.send(&text, *peer));
    }

    fn send(&self, text: &[u8], to: SocketAddr) {
        // A network that is not there just now is told by the silence of the others.
        if let Some(datagram) = self.sealer.seal(text) {
            let _ = self.socket.send_to(&datagram, to);
        }
    }

    /// Waits a moment for a datagram and does what it says.
    fn listen(&mut self) {
        let mut buffer = [0; MAX_DATAGRAM_BYTES];
        // A timeout, and the refusals that a system reports for datagrams that were sent earlier, are no news.
        let Ok((count, from)) = self.socket.recv_from(&mut buffer) else { return };
        let Some(text) = buffer.get(..count).and_then(|datagram| self.sealer.open(datagram)) else { return };
        let Some((&kind, rest)) = text.split_first() else { return };
        let Some((sender, rest)) = rest.split_first_chunk::<ORIGIN_BYTES>() else { return };
        if Origin(*sender) == self.memory.own {
            // This gate's own, recorded and sent back: nobody is there.
            return;
        }
        let from_ip = from.ip().to_canonical();
        let peer =
            self.peers.iter_mut().find(|(peer, _)| (peer.ip().to_canonical(), peer.port()) == (from_ip, from.port()));
        // Who is no neighbour is told nothing, so a datagram that is sent again from elsewhere makes no noise.
        let Some((_, heard)) = peer else { return };
        *heard = Some(Instant::now());
        match kind {
            HAVE => self.answer(rest, from),
            MORE => self.take(rest),
            _ => {}
        }
    }

    /// Sends what a neighbour lacks of every log.
    fn answer(&self, rest: &[u8], to: SocketAddr) {
        let has: BTreeMap<Origin, u64> = rest
            .chunks_exact(HAVE_BYTES)
            .filter_map(|chunk| {
                let (origin, newest) = chunk.split_first_chunk::<ORIGIN_BYTES>()?;
                Some((Origin(*origin), u64::from_be_bytes(newest.try_into().ok()?)))
            })
            .collect();
        for (origin, newest) in self.memory.have() {
            let after = has.get(&origin).copied().unwrap_or(0);
            if newest > after {
                self.send_log(origin, after, to);
            }
        }
    }

    fn send_log(&self, origin: Origin, mut after: u64, to: SocketAddr) {
        let entries = self.memory.after(origin, after, MAX_SENT);
        for some in entries.chunks(MAX_ENTRIES) {
            let mut text = vec![MORE];
            text.extend(self.memory.own.0);
            text.extend(origin.0);
            text.extend(after.to_be_bytes());
            for (number, entry) in some {
                text.extend(number.to_be_bytes());
                text.extend(entry.to_bytes());
                after = *number;
            }
            self.send(&text, to);
        }
    }

    /// Takes in a piece of a log that goes on where this gate's ends, or before.
    fn take(&self, rest: &[u8]) {
        let Some((origin, rest)) = rest.split_first_chunk::<ORIGIN_BYTES>() else { return };
        let Some((after, entries)) = rest.split_first_chunk::<8>() else { return };
        let numbered = entries.chunks_exact(NUMBERED_BYTES).filter_map(|chunk| {
            let (number, entry) = chunk.split_first_chunk::<8>()?;
            Some((u64::from_be_bytes(*number), Entry::from_bytes(entry)?))
        });
        self.memory.learn_log(Origin(*origin), u64::from_be_bytes(*after), numbered);
    }

    /// Who is not heard, as one sentence.
    fn fault(&self) -> Option<String> {
        let is_silent = |heard: &Option<Instant>| heard.unwrap_or(self.begun).elapsed() >= SILENT_AFTER;
        let silent: Vec<String> =
            self.peers.iter().filter(|(_, heard)| is_silent(heard)).map(|(peer, _)| peer.to_string()).collect();
        let names = silent.join(", ");
        (!silent.is_empty()).then(|| {
            format!("outings are counted without the gates at {names}, which do not answer: check them and the network")
        })
    }
}

impl Memory {
    /// Up to which number a log was taken; 0 for none of it.
    fn newest(&self, origin: Origin) -> u64 {
        self.state().seen.get(&origin).copied().unwrap_or(0)
    }

    /// How far this gate has each log.
    fn have(&self) -> Vec<(Origin, u64)> {
        self.state().seen.iter().map(|(origin, newest)| (*origin, *newest)).take(MAX_ORIGINS).collect()
    }

    fn after(&self, origin: Origin, after: u64, max: usize) -> Vec<(u64, Entry)> {
        let state = self.state();
        let entries = state.log.get(&origin).into_iter().flat_map(|entries| entries.range(after.saturating_add(1)..));
        entries.take(max).map(|(number, entry)| (*number, *entry)).collect()
    }

    /// Takes a piece of a log that begins after number `after`, if this gate has everything up to there.
    fn learn_log(&self, origin: Origin, after: u64, entries: impl Iterator<Item = (u64, Entry)>) {
        let newest = self.newest(origin);
        let is_known = newest > 0 || self.have().len() < MAX_ORIGINS;
        if origin == self.own || after > newest || !is_known {
            return;
        }
        let (now, now_ms) = (self.clock.time(), self.clock.mono_ms());
        for (number, entry) in entries.filter(|(number, _)| *number > newest) {
            // What is told as it happens happened now, whatever the other gate's clock says.
            let is_new = now.confidence != Confidence::Trusted || now.unix_s.abs_diff(entry.unix_s) < JUST_NOW_S;
            self.learn(origin, number, entry, is_new.then_some(now_ms));
        }
    }
}
