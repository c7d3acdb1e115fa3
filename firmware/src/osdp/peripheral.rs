//! What a reader answers: packets in, packets out, no line and no clock of its own.
//!
//! Separate from the line so that a whole conversation is a test without hardware, and so that nothing here waits.
//!
//! Invariants: an admission is told in a poll of an open channel (or of a plain line, where the board says so) and
//! nowhere else; it is told once, but for the repetition of the very same reply to the very same packet; after
//! [`TELL_WITHIN`] it is forgotten, because a door that opens then opens for nobody, or for somebody else. The
//! default key is never used. A reader that is not asked does not speak.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use osdp::command::{Chlng, CommandCode, SCrypt};
use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Scb, ScsType};
use osdp::reply::{Ack, Com, NakErrorCode, PdCap, PdId, RMacI, Raw, Reply};

use super::about;
use super::card::Card;
use super::channel::Channel;
use super::health::{Health, Refusal, SILENT_AFTER};
use super::key::Key;

/// How long an admission waits for the panel to ask.
pub(super) const TELL_WITHIN: Duration = Duration::from_secs(2);
/// After this much silence a session is over, as the standard has it.
const SESSION_ENDS_AFTER: Duration = Duration::from_secs(8);
/// More people than this can not be admitted within [`TELL_WITHIN`].
const MOST_WAITING: usize = 4;
/// What the first byte of a security block says of the key: it is the one of this reader.
const OWN_KEY: u8 = 1;

/// Gives eight bytes that nobody can foresee; `None` where the system has none.
pub(super) type Random = Box<dyn FnMut() -> Option<[u8; 8]> + Send>;

/// What a reader is.
pub(super) struct Identity {
    /// Its place on the line, at most 126.
    pub(super) address: u8,
    /// The speed of the line, in bits a second.
    pub(super) baud: u32,
    /// The number that it tells.
    pub(super) card: Card,
    /// The key of the secure channel; `None` for a line that is plain.
    pub(super) key: Option<Key>,
}

/// The reader's end of a conversation.
pub(super) struct Peripheral {
    identity: Identity,
    id: PdId,
    random: Random,
    channel: Channel,
    /// The last packet that was answered, and the answer: a panel that did not hear it sends the same packet again.
    last: Option<(Vec<u8>, Vec<u8>)>,
    /// When each admission was that is still to be told.
    waiting: VecDeque<Instant>,
    /// The card of the last answer, until the panel goes on, by which it says that it heard.
    told: Option<Told>,
    health: Health,
}

/// A card that the panel may not have heard of.
struct Told {
    admitted_at: Instant,
    /// The channel as it was before the card, from where it goes on if the card is taken back.
    before: Channel,
}

/// A packet that was taken apart.
struct Heard<'a> {
    packet: ParsedPacket<'a>,
    bytes: &'a [u8],
}

impl Peripheral {
    /// A reader that was switched on at `now`.
    pub(super) fn new(identity: Identity, random: Random, now: Instant) -> Peripheral {
        let (id, health) = (about::id(identity.card), Health::new(identity.key.is_some(), now));
        let (channel, waiting) = (Channel::Closed, VecDeque::new());
        Peripheral { identity, id, random, channel, last: None, waiting, told: None, health }
    }

    pub(super) fn address(&self) -> u8 {
        self.identity.address
    }

    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// Somebody was admitted at `at`.
    pub(super) fn admitted(&mut self, at: Instant) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(at);
        } else {
            self.unreported("too many wait to be told already");
        }
    }

    /// Lets go of what is too old to be told, and of a session that fell silent.
    pub(super) fn pass_time(&mut self, now: Instant) {
        while self.waiting.front().is_some_and(|at| is_late(*at, now)) {
            self.waiting.pop_front();
            self.unreported("it did not ask in time");
        }
        let silent = self.health.silent_for(now);
        if silent >= SILENT_AFTER {
            self.give_up_asking(now);
        }
        if silent >= SESSION_ENDS_AFTER {
            self.give_up_telling();
            self.begin_anew(now);
        }
    }

    /// The line is there. A channel that was open goes on: to a panel, an adapter that was pulled out for a moment is a
    /// reader that was silent for a moment.
    pub(super) fn line_opened(&mut self, now: Instant) {
        self.health.reopened(now);
    }

    /// The line is gone, or can not be opened.
    pub(super) fn lose(&mut self, why: String) {
        self.health.lost(why);
    }

    /// Answers a packet that an [`Inbox`](super::inbox::Inbox) gave; `None` where nothing is to be said.
    pub(super) fn hear(&mut self, bytes: &[u8], now: Instant) -> Option<Vec<u8>> {
        self.pass_time(now);
        self.health.heard(now);
        let control = ControlByte::decode(*bytes.get(4)?).ok()?;
        let to = Address::reply(*bytes.get(1)?).ok()?;
        if control.sqn.value() == 0 {
            // The panel has just begun, and knows of nothing that was before.
            self.give_up_telling();
            self.begin_anew(now);
        } else if let Some((packet, reply)) = &self.last
            && packet == bytes
        {
            return match &self.told {
                Some(told) if is_late(told.admitted_at, now) => self.take_back(to, control),
                _ => Some(reply.clone()),
            };
        } else {
            self.told = None;
        }
        let reply = match ParsedPacket::parse(bytes) {
            Ok((packet, _)) => self.answer(to, &Heard { packet, bytes }, now),
            // The sum was right, so this is what the panel said, and no reader could make sense of it.
            Err(_) => {
                let why = match control.has_scb() {
                    true => NakErrorCode::SecurityBlockTypeNotSupported,
                    false => NakErrorCode::CommandLengthError,
                };
                plain(to, control, &about::refusal(why))
            }
        }?;
        self.last = Some((bytes.to_vec(), reply.clone()));
        Some(reply)
    }

    fn answer(&mut self, to: Address, heard: &Heard<'_>, now: Instant) -> Option<Vec<u8>> {
        let control = heard.packet.ctrl;
        match heard.packet.scb.map(|scb| scb.ty) {
            None => {
                let reply = self.answer_in_the_open(heard, now);
                plain(to, control, &reply)
            }
            Some(ScsType::Scs11) => self.answer_the_question(to, heard, now),
            Some(ScsType::Scs13) => self.answer_the_proof(to, heard, now),
            Some(_) => match self.channel.unseal(&heard.packet, heard.bytes) {
                Ok(data) => {
                    self.health.in_channel();
                    let reply = self.obey(heard.packet.code, &data);
                    self.channel.seal(to, control, &reply)
                }
                Err(_) => {
                    // Also where the panel is still in a channel from before this reader was started again.
                    self.health.closed(now);
                    plain(to, control, &about::refusal(NakErrorCode::SecurityBlockTypeNotSupported))
                }
            },
        }
    }

    /// What is said outside of a channel: on a line with a key, who this is and that it is there, and no more.
    fn answer_in_the_open(&mut self, heard: &Heard<'_>, now: Instant) -> Reply {
        let code = heard.packet.code;
        if self.identity.key.is_none() {
            return self.obey(code, heard.packet.data);
        }
        if self.channel.is_open() {
            // The panel has the channel and does not use it, or this is somebody else.
            return about::refusal(NakErrorCode::EncryptedCommunicationRequired);
        }
        self.give_up_asking(now);
        match CommandCode::from_byte(code) {
            Ok(CommandCode::Poll) => Reply::Ack(Ack),
            Ok(CommandCode::Id) => Reply::PdId(self.id),
            Ok(CommandCode::Cap) => self.capabilities(),
            _ => {
                self.health.refuse(Refusal::NotSecure, now);
                about::refusal(NakErrorCode::EncryptedCommunicationRequired)
            }
        }
    }

    /// The panel asks for a channel.
    fn answer_the_question(&mut self, to: Address, heard: &Heard<'_>, now: Instant) -> Option<Vec<u8>> {
        self.give_up_asking(now);
        self.channel = Channel::Closed;
        self.health.closed(now);
        let control = heard.packet.ctrl;
        let refuse = |why| plain(to, control, &about::refusal(why));
        let Some(key) = &self.identity.key else {
            return refuse(NakErrorCode::SecurityBlockTypeNotSupported);
        };
        let (CHLNG, Ok(asked)) = (heard.packet.code, Chlng::decode(heard.packet.data)) else {
            return refuse(NakErrorCode::CommandLengthError);
        };
        let Some(rnd_b) = (self.random)() else {
            self.health.refuse(Refusal::NoRandomNumbers, now);
            return refuse(NakErrorCode::UnableToProcessCommandRecord);
        };
        let answer = self.channel.ask(key.scbk(), asked.rnd_a, rnd_b, about::cuid(&self.id));
        handshake(to, control, ScsType::Scs12, &Reply::CCrypt(answer))
    }

    /// The panel shows that it has the key.
    fn answer_the_proof(&mut self, to: Address, heard: &Heard<'_>, now: Instant) -> Option<Vec<u8>> {
        let control = heard.packet.ctrl;
        let proved = match (heard.packet.code, SCrypt::decode(heard.packet.data)) {
            (SCRYPT, Ok(shown)) => self.channel.prove(&shown).ok(),
            _ => None,
        };
        match proved {
            Some(rmac) => {
                self.health.in_channel();
                handshake(to, control, ScsType::Scs14, &Reply::RMacI(RMacI { r_mac_i: rmac }))
            }
            None => {
                self.channel = Channel::Closed;
                self.health.refuse(Refusal::OtherKey, now);
                plain(to, control, &about::refusal(NakErrorCode::SecurityBlockTypeNotSupported))
            }
        }
    }

    /// Does what a panel may ask of a reader.
    fn obey(&mut self, code: u8, data: &[u8]) -> Reply {
        let Ok(code) = CommandCode::from_byte(code) else {
            return about::refusal(NakErrorCode::UnknownCommandCode);
        };
        match code {
            CommandCode::Poll => self.answer_a_poll(),
            CommandCode::Id => Reply::PdId(self.id),
            CommandCode::Cap => self.capabilities(),
            CommandCode::LStat | CommandCode::IStat | CommandCode::OStat | CommandCode::RStat => about::status(code),
            // Taken and not shown: the gate's own lamps and buzzer say what the gate decided.
            CommandCode::Led | CommandCode::Buz | CommandCode::Text if data.is_empty() => {
                about::refusal(NakErrorCode::CommandLengthError)
            }
            CommandCode::Led | CommandCode::Buz | CommandCode::Text => Reply::Ack(Ack),
            CommandCode::AcuRxSize | CommandCode::KeepActive | CommandCode::Abort => Reply::Ack(Ack),
            // Address, speed and key are the board file's: the reader says what it has, and keeps it.
            CommandCode::ComSet => Reply::Com(Com { address: self.identity.address, baud: self.identity.baud }),
            CommandCode::KeySet => about::refusal(NakErrorCode::UnableToProcessCommandRecord),
            _ => about::refusal(NakErrorCode::UnknownCommandCode),
        }
    }

    fn answer_a_poll(&mut self) -> Reply {
        let Some(admitted_at) = self.waiting.pop_front() else { return Reply::Ack(Ack) };
        self.told = Some(Told { admitted_at, before: self.channel.clone() });
        self.health.reported();
        let card = self.identity.card;
        Reply::Raw(Raw { reader: 0, format_code: about::WIEGAND, bit_count: card.format.bits(), bits: card.bytes() })
    }

    fn capabilities(&self) -> Reply {
        Reply::PdCap(PdCap::new(about::capabilities(self.identity.key.is_some())))
    }

    fn begin_anew(&mut self, now: Instant) {
        self.give_up_asking(now);
        (self.channel, self.last) = (Channel::Closed, None);
        self.health.closed(now);
    }

    /// A panel that asked for a channel and then did something else did not like the answer: it has another key.
    fn give_up_asking(&mut self, now: Instant) {
        if matches!(self.channel, Channel::Asked(_)) {
            self.channel = Channel::Closed;
            self.health.refuse(Refusal::OtherKey, now);
        }
    }

    /// A card that nobody may have heard is not shown again: two openings for one admission let a second person in.
    fn give_up_telling(&mut self) {
        if self.told.take().is_some() {
            self.unreported("it did not say that it heard");
        }
    }

    /// Answers a poll anew that was answered by a card which nobody heard, and for which it is too late now. The panel asks
    /// again, so it does not know of the card, and the channel goes on as if there had been none.
    fn take_back(&mut self, to: Address, control: ControlByte) -> Option<Vec<u8>> {
        self.channel = self.told.take()?.before;
        self.unreported("it heard nothing in time");
        let ack = Reply::Ack(Ack);
        let reply =
            if self.channel.is_open() { self.channel.seal(to, control, &ack) } else { plain(to, control, &ack) }?;
        if let Some((_, last)) = &mut self.last {
            last.clone_from(&reply);
        }
        Some(reply)
    }

    fn unreported(&mut self, why: &str) {
        self.health.unreported();
        tracing::warn!("an admission was not told to the access controller ({why}): let the person in by hand");
    }
}

fn is_late(admitted_at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(admitted_at) >= TELL_WITHIN
}

const CHLNG: u8 = CommandCode::Chlng.as_byte();
const SCRYPT: u8 = CommandCode::SCrypt.as_byte();

/// The packet of a reply outside of a channel.
fn plain(to: Address, control: ControlByte, reply: &Reply) -> Option<Vec<u8>> {
    let ctrl = ControlByte::new(control.sqn, control.flags & CtrlFlags::USE_CRC);
    PacketBuilder::plain(to, ctrl, reply.code().as_byte(), reply.encode_data().ok()?).encode().ok()
}

/// The packet of a step towards a channel.
fn handshake(to: Address, control: ControlByte, ty: ScsType, reply: &Reply) -> Option<Vec<u8>> {
    let ctrl = ControlByte::new(control.sqn, control.flags | CtrlFlags::HAS_SCB);
    let (scb, data) = (Some(Scb::new(ty, [OWN_KEY])), reply.encode_data().ok()?);
    PacketBuilder { addr: to, ctrl, scb, code: reply.code().as_byte(), data }.encode().ok()
}
