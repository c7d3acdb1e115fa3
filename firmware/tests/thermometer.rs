//! The thermometer through a real pseudo-terminal: real bytes, the adapter that runs at a gate.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use menshen_core::thermo::Protocol;
use menshen_core::thermo::Reading;
use menshen_core::thermo::gy_mcu90614::{COMMAND_ONCE, COMMAND_STREAM};
use menshen_core::thermo::modbus_head::{Function, Map};
use menshen_core::thermo::summed::FRAME_BYTES;
use menshen_gate::board::{self, Board};
use menshen_gate::sim::ThermometerUnit;
use menshen_gate::thermometer::{self, Order};
use menshen_lane::ports::{Open, PortError, Thermometer};

/// Far more than anything here takes, for a machine under load.
const PATIENCE: Duration = Duration::from_secs(20);

fn opener(port: &Path) -> Open<dyn Thermometer> {
    opener_of(port, Some(Protocol::GyMcu90614))
}

#[track_caller]
fn opened(open: &mut Open<dyn Thermometer>) -> Box<dyn Thermometer> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match open() {
            Ok(thermometer) => return thermometer,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn unopened(open: &mut Open<dyn Thermometer>) -> PortError {
    open().err().unwrap()
}

/// Readings until one satisfies `wanted`; all before it must be of `known` object temperatures.
#[track_caller]
fn reads(thermometer: &mut dyn Thermometer, known: &[i16], wanted: i16) -> Reading {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let reading = thermometer.reading(Duration::from_millis(500)).unwrap();
        match reading {
            Some(reading) if reading.temp_centi_c == wanted => return reading,
            Some(reading) => assert!(known.contains(&reading.temp_centi_c), "{reading:?} was never sent"),
            None => {}
        }
        assert!(Instant::now() < deadline, "no reading of {wanted}");
    }
}

/// The error that ends the readings.
#[track_caller]
fn fails(thermometer: &mut dyn Thermometer) -> PortError {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Err(error) = thermometer.reading(Duration::from_millis(200)) {
            return error;
        }
        assert!(Instant::now() < deadline, "it does not fail");
    }
}

const HEAD: Map =
    Map { unit: 3, function: Function::Input, object_register: 0x101, ambient_register: 0x100, step_centi_c: 10 };
const KINDS: [Protocol; 4] = [Protocol::GyMcu90614, Protocol::Cjmcu90614, Protocol::Rqvk002, Protocol::ModbusRtu(HEAD)];

/// The simulated board with another thermometer.
fn board_with(unit: board::Thermometer) -> Board {
    let board = Board::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml")).unwrap();
    Board { thermometer: Some(unit), ..board }
}

fn opener_of(port: &Path, protocol: Option<Protocol>) -> Open<dyn Thermometer> {
    let unit = board::Thermometer::Serial { port: port.to_owned(), baud: 9600, protocol };
    thermometer::opener(&board_with(unit), Path::new("no state is needed")).unwrap()
}

#[test]
fn every_kind_of_unit_is_read_through_noise_and_a_pulled_plug() {
    for protocol in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let unit = ThermometerUnit::start(folder.path().join("tty"), protocol).unwrap();
        unit.set_ambient(2100);
        let mut open = opener_of(unit.path(), Some(protocol));
        let mut thermometer = opened(&mut open);
        unit.set_object(Some(3710));
        unit.inject_noise(&[0x5a, 0xa5, 0x66, 0x66, 0x5a, 0x03, 0x04]);
        let reading = reads(&mut *thermometer, &[3640], 3710);
        assert_eq!(reading, Reading::of(3710, 2100), "{protocol:?}");
        unit.unplug();
        fails(&mut *thermometer);
        drop(thermometer);
        unit.replug().unwrap();
        reads(&mut *opened(&mut open), &[], 3710);
    }
}

#[test]
fn a_unit_that_streams_is_found_out_and_one_that_is_of_no_known_kind_is_told() {
    for protocol in Protocol::STREAMING {
        let folder = tempfile::tempdir().unwrap();
        let unit = ThermometerUnit::start(folder.path().join("tty"), protocol).unwrap();
        unit.set_object(Some(3680));
        reads(&mut *opened(&mut opener_of(unit.path(), None)), &[3640], 3680);
    }
    let folder = tempfile::tempdir().unwrap();
    let head = ThermometerUnit::start(folder.path().join("tty"), Protocol::ModbusRtu(HEAD)).unwrap();
    let PortError::Absent(said) = unopened(&mut opener_of(head.path(), None)) else { panic!("not absent") };
    assert!(said.contains("is silent at every speed") && said.contains("thermometer.port"), "{said}");
}

#[test]
fn a_unit_of_another_kind_is_told_from_a_silent_one() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ThermometerUnit::start(folder.path().join("tty"), Protocol::Cjmcu90614).unwrap();
    let PortError::Absent(said) = unopened(&mut opener_of(unit.path(), Some(Protocol::Rqvk002))) else {
        panic!("not absent")
    };
    assert!(said.contains("no reading of a rqvk002 at 9600 baud") && said.contains("auto"), "{said}");
}

#[test]
fn what_the_unit_sees_is_what_the_gate_reads() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ThermometerUnit::start(folder.path().join("tty"), Protocol::GyMcu90614).unwrap();
    unit.set_ambient(-120);
    unit.set_object(Some(3855));
    let mut thermometer = opened(&mut opener(unit.path()));
    assert_eq!(reads(&mut *thermometer, &[3640], 3855), Reading::of(3855, -120));
}

#[test]
fn a_waiting_gate_gets_the_newest_reading_and_not_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ThermometerUnit::start(folder.path().join("tty"), Protocol::GyMcu90614).unwrap();
    let mut thermometer = opened(&mut opener(unit.path()));
    std::thread::sleep(Duration::from_millis(300));
    unit.set_object(Some(3911));
    std::thread::sleep(Duration::from_millis(700));
    let first = thermometer.reading(PATIENCE).unwrap().unwrap();
    assert_eq!(first.temp_centi_c, 3911);
}

#[test]
fn noise_costs_readings_and_never_makes_one() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ThermometerUnit::start(folder.path().join("tty"), Protocol::GyMcu90614).unwrap();
    let mut thermometer = opened(&mut opener(unit.path()));
    let noises: [&[u8]; 4] = [&[0x00, 0xff], &[0x5a], &[0x5a, 0x5a, 0x45, 0x04, 0x0c], &[0x14; 40]];
    for (turn, noise) in noises.into_iter().cycle().take(8).enumerate() {
        let (before, after) = (3600 + turn as i16, 3601 + turn as i16);
        unit.inject_noise(noise);
        unit.set_object(Some(after));
        reads(&mut *thermometer, &[3640, before], after);
    }
}

#[test]
fn an_unplugged_unit_fails_is_absent_and_comes_back_at_the_same_port() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ThermometerUnit::start(folder.path().join("tty"), Protocol::GyMcu90614).unwrap();
    let mut open = opener(unit.path());
    let mut thermometer = opened(&mut open);
    for turn in 0..3 {
        unit.unplug();
        let PortError::Failed(said) = fails(&mut *thermometer) else { panic!("not a failure") };
        assert!(said.contains("tty") && said.contains("plug it in again"), "{said}");
        drop(thermometer);
        let PortError::Absent(said) = unopened(&mut open) else { panic!("not absent") };
        assert!(said.contains("tty is not there") && said.contains("thermometer.port"), "{said}");
        unit.set_object(Some(3650 + turn));
        unit.replug().unwrap();
        thermometer = opened(&mut open);
        reads(&mut *thermometer, &[], 3650 + turn);
    }
}

#[test]
fn a_port_that_says_nothing_is_no_thermometer() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ThermometerUnit::start(folder.path().join("tty"), Protocol::GyMcu90614).unwrap();
    unit.set_object(None);
    let mut open = opener(unit.path());
    let deadline = Instant::now() + PATIENCE;
    // The unit may have begun its first frame before it fell silent.
    let said = loop {
        match open() {
            Err(PortError::Absent(said)) => break said,
            _ => assert!(Instant::now() < deadline, "it opens although it is silent"),
        }
    };
    assert!(said.contains("is silent") && said.contains("thermometer.baud"), "{said}");
}

#[test]
fn a_unit_that_falls_silent_has_failed_even_if_the_line_is_noisy() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ThermometerUnit::start(folder.path().join("tty"), Protocol::GyMcu90614).unwrap();
    let mut thermometer = opened(&mut opener(unit.path()));
    unit.set_object(None);
    unit.inject_noise(&[0x55; 30]);
    let PortError::Failed(said) = fails(&mut *thermometer) else { panic!("not a failure") };
    assert!(said.contains("is silent"), "{said}");
}

#[test]
fn what_is_no_serial_port_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "no terminal").unwrap();
    let PortError::Absent(said) = unopened(&mut opener(&file)) else { panic!("not absent") };
    assert!(said.contains("cannot open the thermometer") && said.contains("notes.txt"), "{said}");
}

#[test]
fn the_simulated_unit_obeys_the_commands_of_the_real_one() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ThermometerUnit::start(folder.path().join("tty"), Protocol::GyMcu90614).unwrap();
    let path = unit.path().to_string_lossy().into_owned();
    let mut port = serialport::new(path, 9600).timeout(Duration::from_millis(700)).open().unwrap();
    port.write_all(&COMMAND_ONCE).unwrap();
    while port.read(&mut [0; 64]).is_ok() {}
    port.write_all(&COMMAND_ONCE).unwrap();
    port.read_exact(&mut [0; FRAME_BYTES]).unwrap();
    assert_eq!(port.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::TimedOut, "one reading was asked for");
    port.write_all(&COMMAND_STREAM).unwrap();
    port.read_exact(&mut [0; 3 * FRAME_BYTES]).unwrap();
}

#[test]
fn a_simulated_board_is_steered_by_its_control_file() {
    let state = tempfile::tempdir().unwrap();
    let control = state.path().join("thermometer.txt");
    let unit = board::Thermometer::Simulated { control: "thermometer.txt".into(), protocol: Protocol::GyMcu90614 };
    let mut open = thermometer::opener(&board_with(unit), state.path()).unwrap();
    let mut thermometer = opened(&mut open);
    assert_eq!(reads(&mut *thermometer, &[], 3640).ambient_centi_c, 2250);
    std::fs::write(&control, "38.2 24").unwrap();
    assert_eq!(reads(&mut *thermometer, &[3640], 3820).ambient_centi_c, 2400);
    std::fs::write(&control, "warm").unwrap();
    std::fs::write(&control, "unplugged\n").unwrap();
    fails(&mut *thermometer);
    drop(thermometer);
    assert!(matches!(unopened(&mut open), PortError::Absent(_)));
    std::fs::write(&control, "36.7").unwrap();
    reads(&mut *opened(&mut open), &[3820], 3670);
}

#[test]
fn two_references_make_a_unit_that_reads_low_right_and_the_gate_reads_through_them() {
    let folder = tempfile::tempdir().unwrap();
    let unit = ThermometerUnit::start(folder.path().join("tty"), Protocol::Cjmcu90614).unwrap();
    let port = unit.path().to_owned();
    let serial = board::Thermometer::Serial { port, baud: 115_200, protocol: None };
    let mut board = board_with(serial);
    let state = tempfile::tempdir().unwrap();
    unit.set_object(Some(3200));
    let said = thermometer::run(&board, state.path(), Order::Is(3400)).unwrap();
    assert!(
        said.contains("says 32.00 °C") && said.contains("for 34.00 °C") && said.contains("one reference"),
        "{said}"
    );
    unit.set_object(Some(3640));
    thermometer::run(&board, state.path(), Order::Is(3800)).unwrap();
    unit.set_object(Some(3420));
    let said = thermometer::run(&board, state.path(), Order::Read).unwrap();
    assert!(said.contains("says 34.20 °C") && said.contains("for 36.00 °C"), "{said}");
    board.correction.distance_centi_c = 89;
    let mut open = thermometer::opener(&board, state.path()).unwrap();
    reads(&mut *opened(&mut open), &[], 3689);
    std::fs::write(state.path().join("thermometer-calibration"), "half").unwrap();
    let PortError::Absent(said) = unopened(&mut open) else { panic!("not absent") };
    assert!(said.contains("is damaged, so no reading is trusted"), "{said}");
    thermometer::run(&board, state.path(), Order::Forget).unwrap();
    reads(&mut *opened(&mut open), &[], 3420 + 89);
}
