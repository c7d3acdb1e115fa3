//! The secure channel, from the reader's side.
//!
//! Both ends have one key, the SCBK. The panel sends a random number, the reader another one, and each proves by a
//! cryptogram that it has the key; keys for this session come of the two numbers. From then on every packet carries a
//! MAC that continues the MAC of the packet before, so none can be made, changed, left out or played again, and what a
//! packet says is encrypted.
//!
//! The `osdp` crate has the cryptography and the panel's order of the steps, but no reader. The order is
//! the same for a reader that checks itself what a panel would have checked, so its types keep it here too: a session that
//! is open can only be had of a cryptogram that was right.

use osdp::command::SCrypt;
use osdp::packet::{Address, ControlByte, CtrlFlags, MAC_LEN, PacketBuilder, ParsedPacket, Scb, ScsType};
use osdp::reply::{CCrypt, Reply};
use osdp::secure::cipher::{complement_icv, decrypt_data};
use osdp::secure::crypto::{SessionKeys, client_cryptogram};
use osdp::secure::session::{Cryptogrammed, Disconnected, Secure, Session};

/// How far the panel has come.
#[derive(Clone, Default)]
pub(super) enum Channel {
    /// There is none.
    #[default]
    Closed,
    /// The panel asked, this reader has shown that it has the key, and the panel must show it too.
    Asked(Session<Cryptogrammed>),
    /// Both have the key.
    Open(Session<Secure>),
}

/// What was sent is not what the other end of this channel would have sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAuthentic;

impl Channel {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Channel::Open(_))
    }

    /// The first step: the panel's random number; gives what the reader answers.
    pub(super) fn ask(&mut self, scbk: [u8; 16], rnd_a: [u8; 8], rnd_b: [u8; 8], cuid: [u8; 8]) -> CCrypt {
        let keys = SessionKeys::derive(&scbk, &rnd_a);
        let answer = CCrypt { cuid, rnd_b, client_cryptogram: client_cryptogram(&keys.s_enc, &rnd_a, &rnd_b) };
        let session = Session::<Disconnected>::new(scbk).challenge(rnd_a).receive_ccrypt(&answer);
        // It is checked against itself and can not be wrong; if it were, the channel would just not open.
        *self = session.map_or(Channel::Closed, Channel::Asked);
        answer
    }

    /// The second step: the panel shows that it has the key; gives the first R-MAC.
    pub(super) fn prove(&mut self, shown: &SCrypt) -> Result<[u8; 16], NotAuthentic> {
        let Channel::Asked(session) = std::mem::take(self) else { return Err(NotAuthentic) };
        if !is_same(&session.server_cryptogram(), &shown.server_cryptogram) {
            return Err(NotAuthentic);
        }
        let rmac = session.initial_rmac();
        *self = Channel::Open(session.confirm_rmac_i(&rmac).map_err(|_| NotAuthentic)?);
        Ok(rmac)
    }

    /// What a command in this channel says. One that is not authentic closes the channel: the two ends would never
    /// agree again, and the panel begins anew.
    pub(super) fn unseal(&mut self, packet: &ParsedPacket<'_>, bytes: &[u8]) -> Result<Vec<u8>, NotAuthentic> {
        let said = self.try_unseal(packet, bytes);
        if said.is_err() {
            *self = Channel::Closed;
        }
        said
    }

    fn try_unseal(&mut self, packet: &ParsedPacket<'_>, bytes: &[u8]) -> Result<Vec<u8>, NotAuthentic> {
        let Channel::Open(session) = self else { return Err(NotAuthentic) };
        let (Some(scb), Some(mac)) = (packet.scb, packet.mac) else { return Err(NotAuthentic) };
        if !matches!(scb.ty, ScsType::Scs15 | ScsType::Scs17) {
            return Err(NotAuthentic);
        }
        let sum_bytes = if packet.ctrl.use_crc() { 2 } else { 1 };
        let covered = bytes.len().checked_sub(sum_bytes + MAC_LEN).and_then(|end| bytes.get(..end));
        // The vector comes of the MAC before this packet's, which verifying it replaces.
        let icv = complement_icv(session.last_other_mac());
        session.verify(covered.ok_or(NotAuthentic)?, &mac).map_err(|_| NotAuthentic)?;
        // Some panels mark a command without data as encrypted.
        if !scb.ty.is_encrypted() || packet.data.is_empty() {
            return Ok(packet.data.to_vec());
        }
        decrypt_data(&session.keys().s_enc, &icv, packet.data).map_err(|_| NotAuthentic)
    }

    /// The packet of a reply in this channel, summed as the command was; `None` where none is open.
    pub(super) fn seal(&mut self, to: Address, control: ControlByte, reply: &Reply) -> Option<Vec<u8>> {
        let Channel::Open(session) = self else { return None };
        let said = reply.encode_data().ok()?;
        let (ty, data) = match said.as_slice() {
            [] => (ScsType::Scs16, said),
            _ => (ScsType::Scs18, session.seal_data(&said)),
        };
        let ctrl = ControlByte::new(control.sqn, control.flags | CtrlFlags::HAS_SCB);
        let packet = PacketBuilder { addr: to, ctrl, scb: Some(Scb::new(ty, [])), code: reply.code().as_byte(), data };
        let sealed = packet.encode_with_mac(|covered| {
            let [a, b, c, d, ..] = session.mac(covered);
            [a, b, c, d]
        });
        sealed.ok()
    }
}

/// Compares in a time that does not depend on where the first difference is.
fn is_same(left: &[u8; 16], right: &[u8; 16]) -> bool {
    left.iter().zip(right).fold(0, |different, (left, right)| different | (left ^ right)) == 0
}
