//! Conversations with a reader, packet by packet, in a time of their own.
//!
//! The panel here is the other end of the same crate, so it proves order and obedience and not the format; that is proved against
//! panels that others have written (tests/tests/osdp_panels.rs), and here by recordings of them.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::time::{Duration, Instant};

use osdp::command::{Chlng, Command, Id, KeySet, Poll, SCrypt};
use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Scb, ScsType, Sqn};
use osdp::reply::{NakErrorCode, Reply, ReplyCode};
use osdp::secure::SCBK_D;
use osdp::secure::frame::{Direction, seal, unseal};
use osdp::secure::session::{Disconnected, Secure, Session};

use super::card::{Card, Format};
use super::inbox::Inbox;
use super::key::Key;
use super::peripheral::{Identity, Peripheral, TELL_WITHIN};

const ADDRESS: u8 = 5;
const SCBK: [u8; 16] = *b"a key for a test";
const CARD: Card = Card { format: Format::Wiegand26, facility: 123, card: 4567 };
const BITS: [u8; 4] = [0xBD, 0x88, 0xEB, 0x80];

/// A reader and a panel, and a clock that only they have.
struct Line {
    reader: Peripheral,
    now: Instant,
    sqn: Sqn,
    session: Option<Session<Secure>>,
}

impl Line {
    fn new(key: Option<[u8; 16]>) -> Line {
        let now = Instant::now();
        let key = key.map(|key| Key::new(key).unwrap());
        let identity = Identity { address: ADDRESS, baud: 9600, card: CARD, key };
        let reader = Peripheral::new(identity, Box::new(|| Some(*b"rnd of b")), now);
        Line { reader, now, sqn: Sqn::ZERO, session: None }
    }

    fn secure() -> Line {
        let mut line = Line::new(Some(SCBK));
        line.shake_hands(SCBK).unwrap();
        line
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.reader.pass_time(self.now);
    }

    fn admit(&mut self) {
        self.reader.admitted(self.now);
    }

    fn hear(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.reader.hear(packet, self.now)
    }

    fn plain_packet(&mut self, command: &Command) -> Vec<u8> {
        let ctrl = ControlByte::new(self.sqn, CtrlFlags::USE_CRC);
        self.sqn = self.sqn.next();
        let (to, data) = (Address::pd(ADDRESS).unwrap(), command.encode_data().unwrap());
        PacketBuilder::plain(to, ctrl, command.code().as_byte(), data).encode().unwrap()
    }

    fn say_plainly(&mut self, command: &Command) -> Reply {
        let packet = self.plain_packet(command);
        let reply = self.hear(&packet).unwrap();
        decoded(&reply)
    }

    fn sealed_packet(&mut self, command: &Command) -> Vec<u8> {
        let (to, data) = (Address::pd(ADDRESS).unwrap(), command.encode_data().unwrap());
        let sqn = self.sqn;
        self.sqn = self.sqn.next();
        let session = self.session.as_mut().unwrap();
        seal(session, to, sqn, Direction::AcuToPd, !data.is_empty(), command.code().as_byte(), &data).unwrap()
    }

    fn say(&mut self, command: &Command) -> Reply {
        let packet = self.sealed_packet(command);
        let reply = self.hear(&packet).unwrap();
        self.unsealed(&reply)
    }

    fn unsealed(&mut self, bytes: &[u8]) -> Reply {
        let (packet, _) = ParsedPacket::parse(bytes).unwrap();
        let data = unseal(self.session.as_mut().unwrap(), &packet, bytes).unwrap();
        Reply::decode(ReplyCode::from_byte(packet.code).unwrap(), &data).unwrap()
    }

    fn step(&mut self, ty: ScsType, command: &Command) -> Reply {
        let ctrl = ControlByte::new(self.sqn, CtrlFlags::USE_CRC | CtrlFlags::HAS_SCB);
        self.sqn = self.sqn.next();
        let (addr, data) = (Address::pd(ADDRESS).unwrap(), command.encode_data().unwrap());
        let code = command.code().as_byte();
        let packet = PacketBuilder { addr, ctrl, scb: Some(Scb::new(ty, [1])), code, data }.encode().unwrap();
        decoded(&self.hear(&packet).unwrap())
    }

    /// Opens a channel; gives how it failed.
    fn shake_hands(&mut self, scbk: [u8; 16]) -> Result<(), &'static str> {
        self.sqn = Sqn::ZERO;
        self.say_plainly(&Command::Poll(Poll));
        let rnd_a = *b"rnd of a";
        let asked = Session::<Disconnected>::new(scbk).challenge(rnd_a);
        let Reply::CCrypt(answer) = self.step(ScsType::Scs11, &Command::Chlng(Chlng { rnd_a })) else {
            return Err("no answer");
        };
        let session = asked.receive_ccrypt(&answer).map_err(|_| "another key")?;
        let proof = SCrypt::new(session.server_cryptogram());
        let Reply::RMacI(rmac) = self.step(ScsType::Scs13, &Command::SCrypt(proof)) else { return Err("no channel") };
        self.session = Some(session.confirm_rmac_i(&rmac.r_mac_i).map_err(|_| "another channel")?);
        Ok(())
    }

    /// The reader's answer to a packet, if that is among what came.
    fn answer_to(&mut self, packet: &[u8], inbox: &mut Inbox) -> Option<Vec<u8>> {
        let mut answer = None;
        while let Some(came) = inbox.next(ADDRESS) {
            let said = self.hear(&came);
            answer = if came == packet { said } else { answer };
        }
        answer
    }

    fn fault(&self) -> String {
        self.reader.health().fault(self.now, "the port", ADDRESS).unwrap_or_default()
    }
}

fn decoded(bytes: &[u8]) -> Reply {
    let (packet, length) = ParsedPacket::parse(bytes).unwrap();
    assert_eq!((length, packet.addr.as_byte()), (bytes.len(), ADDRESS | 0x80));
    Reply::decode(ReplyCode::from_byte(packet.code).unwrap(), packet.data).unwrap()
}

fn is_card(reply: &Reply) -> bool {
    matches!(reply, Reply::Raw(card) if card.bits == BITS && card.bit_count == 26)
}

fn is_refused(reply: &Reply, why: NakErrorCode) -> bool {
    matches!(reply, Reply::Nak(nak) if nak.error == why)
}

const POLL: Command = Command::Poll(Poll);

#[test]
fn an_admission_is_one_card_in_the_channel() {
    let mut line = Line::secure();
    assert!(matches!(line.say(&POLL), Reply::Ack(_)));
    line.admit();
    assert!(is_card(&line.say(&POLL)));
    assert!(matches!(line.say(&POLL), Reply::Ack(_)));
    assert_eq!(line.fault(), "");
}

#[test]
fn a_reply_that_was_not_heard_is_said_again_word_for_word() {
    let mut line = Line::secure();
    line.admit();
    let poll = line.sealed_packet(&POLL);
    let reply = line.hear(&poll).unwrap();
    assert_eq!(line.hear(&poll).unwrap(), reply);
    assert!(is_card(&line.unsealed(&reply)));
    assert!(matches!(line.say(&POLL), Reply::Ack(_)));
}

#[test]
fn a_card_that_nobody_may_have_heard_is_told_and_not_shown_again() {
    let mut line = Line::secure();
    line.admit();
    let poll = line.sealed_packet(&POLL);
    line.hear(&poll).unwrap();
    line.shake_hands(SCBK).unwrap();
    assert!(matches!(line.say(&POLL), Reply::Ack(_)));
    assert!(line.fault().contains("1 of the last admissions"), "{}", line.fault());
}

#[test]
fn a_card_that_was_not_heard_in_time_is_taken_back_and_the_channel_goes_on() {
    let mut secure = Line::secure();
    secure.admit();
    let poll = secure.sealed_packet(&POLL);
    let card = secure.hear(&poll).unwrap();
    secure.wait(TELL_WITHIN - Duration::from_millis(1));
    assert_eq!(secure.hear(&poll).unwrap(), card);
    secure.wait(Duration::from_millis(1));
    let late = secure.hear(&poll).unwrap();
    assert_eq!(secure.hear(&poll).unwrap(), late);
    assert!(matches!(secure.unsealed(&late), Reply::Ack(_)));
    assert!(matches!(secure.say(&POLL), Reply::Ack(_)));
    assert!(secure.fault().contains("1 of the last admissions"), "{}", secure.fault());

    let mut plain = Line::new(None);
    plain.say_plainly(&POLL);
    plain.admit();
    let poll = plain.plain_packet(&POLL);
    assert!(is_card(&decoded(&plain.hear(&poll).unwrap())));
    plain.wait(TELL_WITHIN);
    assert!(matches!(decoded(&plain.hear(&poll).unwrap()), Reply::Ack(_)));
    // Nor after the silence that ends a session, where nothing is remembered.
    plain.admit();
    let poll = plain.plain_packet(&POLL);
    assert!(is_card(&decoded(&plain.hear(&poll).unwrap())));
    plain.wait(Duration::from_secs(8));
    assert!(matches!(decoded(&plain.hear(&poll).unwrap()), Reply::Ack(_)));
}

#[test]
fn an_admission_is_forgotten_in_time_and_that_is_told() {
    let mut line = Line::secure();
    line.admit();
    line.wait(TELL_WITHIN - Duration::from_millis(1));
    line.admit();
    line.wait(Duration::from_millis(1));
    assert!(is_card(&line.say(&POLL)), "the second one is still good");
    line.admit();
    line.wait(TELL_WITHIN);
    assert!(matches!(line.say(&POLL), Reply::Ack(_)));
    assert!(line.fault().contains("1 of the last admissions"), "{}", line.fault());
    (0..9).for_each(|_| line.admit());
    assert!(line.fault().contains("6 of the last admissions"), "no more than four wait: {}", line.fault());
    assert!(is_card(&line.say(&POLL)));
    assert_eq!(line.fault(), "");
}

#[test]
fn nothing_is_told_outside_the_channel() {
    let mut line = Line::new(Some(SCBK));
    line.admit();
    assert!(matches!(line.say_plainly(&POLL), Reply::Ack(_)));
    assert!(matches!(line.say_plainly(&POLL), Reply::Ack(_)));
    assert!(matches!(line.say_plainly(&Command::Id(Id::standard())), Reply::PdId(_)));
    let refused = line.say_plainly(&Command::LocalStatus(osdp::command::LocalStatus));
    assert!(is_refused(&refused, NakErrorCode::EncryptedCommunicationRequired));
    // In the channel it is told, if there is still time.
    line.shake_hands(SCBK).unwrap();
    assert!(is_card(&line.say(&POLL)));
    // And with the channel open, a poll in the open is somebody else's.
    line.admit();
    let refused = line.say_plainly(&POLL);
    assert!(is_refused(&refused, NakErrorCode::EncryptedCommunicationRequired));
}

#[test]
fn another_key_and_the_default_key_open_nothing() {
    for scbk in [*b"some other key..", SCBK_D] {
        let mut line = Line::new(Some(SCBK));
        line.admit();
        assert_eq!(line.shake_hands(scbk), Err("another key"));
        // A panel that does not look at the reader's proof gets no further either.
        let refused = line.step(ScsType::Scs13, &Command::SCrypt(SCrypt::new([7; 16])));
        assert!(is_refused(&refused, NakErrorCode::SecurityBlockTypeNotSupported));
        line.wait(Duration::from_secs(4));
        assert!(line.fault().contains("another key"), "{}", line.fault());
    }
}

#[test]
fn a_packet_that_is_not_the_panels_closes_the_channel() {
    let mut line = Line::secure();
    line.admit();
    let mut forged = line.sealed_packet(&POLL);
    forged[8] ^= 1;
    let sum = osdp::packet::crc16(&forged[..forged.len() - 2]).to_le_bytes();
    let end = forged.len();
    forged[end - 2..].copy_from_slice(&sum);
    let reply = line.hear(&forged).unwrap();
    assert!(is_refused(&decoded(&reply), NakErrorCode::SecurityBlockTypeNotSupported));
    let next = line.sealed_packet(&POLL);
    let reply = line.hear(&next).unwrap();
    assert!(is_refused(&decoded(&reply), NakErrorCode::SecurityBlockTypeNotSupported));
    line.shake_hands(SCBK).unwrap();
    assert!(is_card(&line.say(&POLL)));
}

#[test]
fn what_was_said_once_can_not_be_played_again() {
    let mut line = Line::secure();
    let old = line.sealed_packet(&POLL);
    let reply = line.hear(&old).unwrap();
    line.unsealed(&reply);
    line.say(&POLL);
    line.admit();
    let reply = line.hear(&old).unwrap();
    assert!(is_refused(&decoded(&reply), NakErrorCode::SecurityBlockTypeNotSupported));
}

#[test]
fn a_plain_line_tells_in_the_open_and_opens_no_channel() {
    let mut line = Line::new(None);
    line.admit();
    assert!(is_card(&line.say_plainly(&POLL)));
    assert!(matches!(line.say_plainly(&POLL), Reply::Ack(_)));
    assert_eq!(line.shake_hands(SCBK), Err("no answer"));
    line.wait(Duration::from_secs(2));
    line.say_plainly(&POLL);
    assert_eq!(line.fault(), "");
}

#[test]
fn silence_and_a_missing_channel_are_told() {
    let mut line = Line::secure();
    line.wait(Duration::from_secs(3));
    assert!(line.fault().contains("does not poll"), "{}", line.fault());
    // The session is still good, and ends after eight seconds.
    assert!(matches!(line.say(&POLL), Reply::Ack(_)));
    assert_eq!(line.fault(), "");
    line.wait(Duration::from_secs(8));
    let late = line.sealed_packet(&POLL);
    let reply = line.hear(&late).unwrap();
    assert!(is_refused(&decoded(&reply), NakErrorCode::SecurityBlockTypeNotSupported));
    for _ in 0..6 {
        line.say_plainly(&POLL);
        line.wait(Duration::from_secs(1));
    }
    assert!(line.fault().contains("no secure channel"), "{}", line.fault());
}

#[test]
fn address_speed_and_key_are_the_boards() {
    let mut line = Line::secure();
    let com = Command::ComSet(osdp::command::ComSet { address: 9, baud: 115_200 });
    assert!(matches!(line.say(&com), Reply::Com(com) if (com.address, com.baud) == (ADDRESS, 9600)));
    let key = Command::KeySet(KeySet::scbk([9; 16]));
    assert!(is_refused(&line.say(&key), NakErrorCode::UnableToProcessCommandRecord));
}

/// Seeded: a run that fails says its seed, and `MENSHEN_SEED` runs it again.
#[test]
fn a_million_bytes_of_noise_keep_no_poll_unanswered() {
    const NOISE_BYTES: usize = 1_000_000;
    let chosen = std::env::var("MENSHEN_SEED").ok().and_then(|seed| seed.parse().ok());
    let drawn = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        now.as_nanos() as u64 | 1
    };
    let seed: u64 = chosen.unwrap_or_else(drawn);
    println!("MENSHEN_SEED={seed}");
    let mut state = seed;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let (mut line, mut inbox, mut sent, mut polls, mut repeated) = (Line::secure(), Inbox::default(), 0, 0, 0);
    while sent < NOISE_BYTES {
        let length = (random() % 300) as usize;
        let mut noise: Vec<u8> = std::iter::repeat_with(|| random() as u8).take(length).collect();
        // Half of it begins like a packet for this reader.
        let is_alike = length > 6 && random() % 2 == 0;
        if is_alike {
            let at = (random() as usize) % (length - 6);
            noise[at..at + 5].copy_from_slice(&[0x53, ADDRESS, random() as u8, 0, random() as u8 & 0x0F]);
        }
        sent += length;
        inbox.push(&noise);
        let poll = line.sealed_packet(&POLL);
        inbox.push(&poll);
        let mut reply = line.answer_to(&poll, &mut inbox);
        if reply.is_none() {
            // A sum of eight bits is right now and then; a panel that gets no answer asks again.
            assert!(is_alike, "the poll was lost; MENSHEN_SEED={seed}");
            repeated += 1;
            inbox.push(&poll);
            reply = line.answer_to(&poll, &mut inbox);
        }
        let reply = reply.unwrap_or_else(|| panic!("the poll was lost twice; MENSHEN_SEED={seed}"));
        if ParsedPacket::parse(&reply).unwrap().0.scb.is_some() {
            line.unsealed(&reply);
        } else {
            // What was taken for a packet ended the session, and the panel begins anew.
            line.shake_hands(SCBK).unwrap();
        }
        polls += 1;
    }
    assert!(polls > 1000 && repeated * 50 < polls, "{repeated} of {polls} polls were lost; MENSHEN_SEED={seed}");
}

/// Whole packets with a right sum and anything in them, which noise hardly ever is.
#[test]
fn no_packet_makes_a_reader_panic_or_tell() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut line = Line::new(Some(SCBK));
    for _ in 0..50_000 {
        let length = 9 + (random() % 60) as usize;
        let mut packet = vec![0x53, ADDRESS, length as u8, 0, random() as u8 & 0x0F];
        packet.extend(std::iter::repeat_with(|| random() as u8).take(length - 7));
        if packet[4] & 8 != 0 && random() % 2 == 0 {
            packet[5] = 2 + (random() % 3) as u8;
            packet[6] = 0x11 + (random() % 8) as u8;
        }
        packet[4] |= 4;
        packet.extend(osdp::packet::crc16(&packet).to_le_bytes());
        line.admit();
        let reply = line.hear(&packet).unwrap();
        assert!(ParsedPacket::parse(&reply).is_ok_and(|(packet, _)| packet.code != ReplyCode::Raw.as_byte()));
        line.wait(Duration::from_millis(random() % 700));
    }
    line.shake_hands(SCBK).unwrap();
    assert!(matches!(line.say(&Command::Poll(Poll)), Reply::Raw(_) | Reply::Ack(_)));
}

fn bytes_of(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// What panels that others have written said, and what they understood: the format, byte by byte.
#[test]
fn recorded_panels_get_the_answers_that_they_understood() {
    let recordings =
        [include_str!("../../tests/data/osdp-libosdp.txt"), include_str!("../../tests/data/osdp-python.txt")];
    for recording in recordings {
        let lines: Vec<&str> = recording.lines().filter(|line| !line.starts_with('#')).collect();
        let part =
            |mark: &str| lines.iter().filter_map(|line| line.strip_prefix(mark)).map(bytes_of).collect::<Vec<_>>();
        let (keys, said, answers) = (part("key "), part("> "), part("< "));
        // The reader's random number is in its answer to the panel's.
        let answer = answers.iter().find(|answer| answer.get(6) == Some(&0x12)).unwrap();
        let rnd_b: [u8; 8] = answer[17..25].try_into().unwrap();
        let mut line = Line::new(None);
        let key = Some(Key::new(keys[0].as_slice().try_into().unwrap()).unwrap());
        let identity = Identity { address: ADDRESS, baud: 9600, card: CARD, key };
        line.reader = Peripheral::new(identity, Box::new(move || Some(rnd_b)), line.now);
        for (said, answer) in said.iter().zip(&answers) {
            if answer[7] == 0x50 {
                line.admit();
            }
            assert_eq!(line.hear(said).as_ref(), Some(answer), "to {said:02x?}");
        }
    }
}
