//! A gate as a reader of an access controller, from its board file to the bytes on the two wires.
//!
//! The panel here polls in the open and is of the same crate; the secure channel and other panels' formats are tested in
//! `src/osdp/tests.rs` and in tests/tests/osdp_panels.rs.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use menshen_core::decide::Verdict;
use menshen_gate::board::Board;
use menshen_gate::clock::Teller;
use menshen_gate::gate::GatePorts;
use menshen_gate::osdp::{Beside, Card, Format, OsdpReader, Settings};
use menshen_gate::sim::Rs485Line;
use menshen_lane::ports::{GateOutput, PortError};
use menshen_lane::sound::{Cue, Volume};
use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Sqn};
use osdp::reply::Raw;
use serialport::SerialPort;

/// Far more than anything here takes, for a machine under load.
const PATIENCE: Duration = Duration::from_secs(20);
const ADDRESS: u8 = 126;
const CARD: Card = Card { format: Format::Wiegand34, facility: 4660, card: 22_136 };
/// Both parities, 0x1234 and 0x5678: 1 0001001000110100 0101011001111000 1, filled with zeros.
const BITS: [u8; 5] = [0x89, 0x1A, 0x2B, 0x3C, 0x40];
const POLL: u8 = 0x60;
const RAW: u8 = 0x50;

struct Panel {
    port: Box<dyn SerialPort>,
    sqn: Sqn,
}

impl Panel {
    fn on(line: &Rs485Line) -> Panel {
        let port = serialport::new(line.controller().to_string_lossy(), 9600).timeout(Duration::from_millis(200));
        Panel { port: port.open().unwrap(), sqn: Sqn::ZERO }
    }

    /// Polls once; the code and the data of the answer, if one comes in time.
    fn poll(&mut self) -> Option<(u8, Vec<u8>)> {
        let control = ControlByte::new(self.sqn, CtrlFlags::USE_CRC);
        self.sqn = self.sqn.next();
        let packet = PacketBuilder::plain(Address::pd(ADDRESS).unwrap(), control, POLL, Vec::new()).encode().unwrap();
        self.port.write_all(&packet).unwrap();
        let (mut heard, mut buffer) = (Vec::new(), [0; 64]);
        loop {
            let count = self.port.read(&mut buffer).ok()?;
            heard.extend_from_slice(&buffer[..count]);
            if let Ok((answer, _)) = ParsedPacket::parse(&heard) {
                assert_eq!(answer.addr.as_byte(), ADDRESS | 0x80);
                return Some((answer.code, answer.data.to_vec()));
            }
        }
    }

    /// Polls until a card comes.
    #[track_caller]
    fn card(&mut self) -> Raw {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some((RAW, data)) = self.poll() {
                return Raw::decode(&data).unwrap();
            }
            assert!(Instant::now() < deadline, "no card");
        }
    }

    /// Polls for some time, in which no card may come.
    #[track_caller]
    fn no_card(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            assert!(self.poll().is_none_or(|(code, _)| code != RAW), "a card that nobody is there for");
        }
    }
}

fn line(folder: &Path) -> Rs485Line {
    Rs485Line::lay(folder.join("gate"), folder.join("controller")).unwrap()
}

fn reader(port: &Path) -> OsdpReader {
    let settings = Settings { port: port.into(), baud: 9600, address: ADDRESS, key: None, card: CARD };
    OsdpReader::start(settings).unwrap()
}

#[track_caller]
fn told(reader: &OsdpReader, what: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let fault = reader.fault().unwrap_or_default();
        if fault.contains(what) {
            return;
        }
        assert!(Instant::now() < deadline, "not told: {what}; but {fault:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_admission_is_one_card_with_exactly_the_bits_of_the_board() {
    let folder = tempfile::tempdir().unwrap();
    let line = line(folder.path());
    let (reader, mut panel) = (reader(line.gate()), Panel::on(&line));
    panel.no_card(Duration::from_millis(300));
    reader.admitted();
    let card = panel.card();
    assert_eq!((card.bit_count, card.bits.as_slice()), (34, BITS.as_slice()));
    panel.no_card(Duration::from_millis(500));
    assert_eq!(reader.fault(), None);
}

#[test]
fn an_admission_that_nobody_asks_for_is_dropped_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let line = line(folder.path());
    let reader = reader(line.gate());
    reader.admitted();
    told(&reader, "1 of the last admissions");
    told(&reader, "does not poll");
    let mut panel = Panel::on(&line);
    panel.no_card(Duration::from_millis(500));
    reader.admitted();
    panel.card();
    assert_eq!(reader.fault(), None);
}

#[test]
fn a_port_that_vanishes_keeps_nobody_waiting_and_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let line = line(folder.path());
    let (reader, mut panel) = (reader(line.gate()), Panel::on(&line));
    reader.admitted();
    panel.card();
    line.unplug();
    told(&reader, "not there");
    let begun = Instant::now();
    (0..1000).for_each(|_| reader.admitted());
    assert!(begun.elapsed() < Duration::from_millis(500), "the lane does not wait: {:?}", begun.elapsed());
    std::thread::sleep(Duration::from_millis(2100));
    line.replug().unwrap();
    panel.no_card(Duration::from_secs(1));
    reader.admitted();
    panel.card();
    assert_eq!(reader.fault(), None);
}

#[test]
fn noise_and_half_packets_keep_no_poll_unanswered() {
    let folder = tempfile::tempdir().unwrap();
    let line = line(folder.path());
    let (reader, mut panel) = (reader(line.gate()), Panel::on(&line));
    for _ in 0..20 {
        line.noise(&[0x53, ADDRESS, 200, 0, 4, 0x60, 0xFF, 0x53, ADDRESS, 8, 0, 4]);
        reader.admitted();
        panel.card();
    }
}

fn boards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards")
}

/// The simulated board with a reader of these keys.
fn board(folder: &Path, keys: &str) -> Result<Board, String> {
    for name in ["base.toml", "sim.toml"] {
        std::fs::copy(boards().join(name), folder.join(name)).unwrap();
    }
    let path = folder.join("mine.toml");
    std::fs::write(&path, format!("inherits = [\"sim.toml\"]\n[outputs.osdp]\n{keys}\n")).unwrap();
    Board::load(path).map_err(|error| error.to_string())
}

/// Outputs whose relay has no guard.
struct Unguarded;

impl GateOutput for Unguarded {
    fn relay(&mut self, _: bool) -> Result<(), PortError> {
        Ok(())
    }

    fn lamp(&mut self, _: Option<Verdict>) -> Result<(), PortError> {
        Ok(())
    }

    fn tone(&mut self, _: Cue, _: Volume) -> Result<(), PortError> {
        Ok(())
    }

    fn relay_fault(&self) -> Option<String> {
        Some("no guard".to_owned())
    }
}

#[test]
fn a_relay_beside_a_controller_tells_its_own_fault() {
    let folder = tempfile::tempdir().unwrap();
    let line = line(folder.path());
    let outputs = Beside::new(Box::new(Unguarded), reader(line.gate()));
    assert_eq!(outputs.relay_fault().as_deref(), Some("no guard"));
}

#[test]
fn the_relay_of_a_board_is_told_to_its_controller() {
    let folder = tempfile::tempdir().unwrap();
    let line = line(folder.path());
    let keys = "port = \"gate\"\naddress = 126\nsecure = false\nformat = 34\nfacility = 4660\ncard = 22136";
    let board = board(folder.path(), keys).unwrap();
    let mut ports = GatePorts::of(&board, folder.path(), Teller::Technician).unwrap();
    let mut panel = Panel::on(&line);
    panel.no_card(Duration::from_millis(300));
    ports.lanes[0].outputs.relay(true).unwrap();
    assert_eq!(panel.card().bits, BITS);
    ports.lanes[0].outputs.relay(false).unwrap();
    panel.no_card(Duration::from_millis(300));
    assert_eq!(ports.lanes[0].outputs.controller_fault(), None);
    let trace = std::fs::read_to_string(folder.path().join("gpio.jsonl")).unwrap();
    assert_eq!(trace.matches("\"relay\"").count(), 2, "the relay moves as before: {trace}");
}

#[test]
fn a_board_without_a_reader_has_none_and_one_that_is_wrong_is_told() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Board::load(boards().join("pi-5.toml")).unwrap().osdp, None);
    let good = "port = \"gate\"\nkey = \"osdp.key\"\nfacility = 1\ncard = 1";
    let whole = board(folder.path(), good).unwrap().osdp.unwrap();
    assert_eq!((whole.baud, whole.address, whole.card.format), (9600, 0, Format::Wiegand26));
    for (keys, said) in [
        ("key = \"osdp.key\"\nfacility = 1\ncard = 1".to_owned(), "does not say `outputs.osdp.port`"),
        ("port = \"gate\"\nfacility = 1\ncard = 1".to_owned(), "does not say `outputs.osdp.key`"),
        ("port = \"gate\"\nkey = \"osdp.key\"\nfacility = 1".to_owned(), "does not say `outputs.osdp.card`"),
        (format!("{good}\naddress = 127"), "`outputs.osdp.address` is 127; it may be 0 to 126"),
        (format!("{good}\nbaud = 1200"), "`outputs.osdp.baud` is 1200"),
        (format!("{good}\nformat = 37"), "`outputs.osdp.format` is 37; it may be 26 or 34"),
        (format!("{good}\nsecure = false"), "`outputs.osdp.secure` is false"),
        (good.replace("facility = 1", "facility = 256"), "with format = 26 it may be 0 to 255"),
        (format!("{good}\npin = 4"), "unknown field"),
    ] {
        let error = board(folder.path(), &keys).unwrap_err();
        assert!(error.contains(said) && !error.contains('\n'), "{said:?} is not in: {error}");
    }
}

#[test]
fn a_key_that_can_not_be_one_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let board = board(folder.path(), "port = \"gate\"\nkey = \"osdp.key\"\nfacility = 1\ncard = 1").unwrap();
    let start =
        || GatePorts::of(&board, folder.path(), Teller::Technician).map(drop).map_err(|error| error.to_string());
    assert!(start().unwrap_err().contains("cannot read the key"));
    std::fs::write(folder.path().join("osdp.key"), "303132333435363738393A3B3C3D3E3F\n").unwrap();
    assert!(start().unwrap_err().contains("default key"));
    std::fs::write(folder.path().join("osdp.key"), "8899aabbccddeeff0011223344556677\n").unwrap();
    start().unwrap();
}
