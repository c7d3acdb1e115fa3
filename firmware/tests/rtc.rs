//! The clock chip byte by byte on a mocked bus, and the simulated chip under the same driver.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use embedded_hal::i2c::{ErrorKind, I2c, NoAcknowledgeSource};
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use menshen_core::clock::{Look, Published};
use menshen_gate::board::{Board, ClockSource};
use menshen_gate::clock::{BUILD_UNIX_S, GateClock, Teller};
use menshen_gate::rtc::{Ds3231, Rtc, SetTo, run};
use menshen_gate::sim::SimRtc;
use menshen_lane::moment;
use menshen_lane::ports::{Clock, PortError};
use std::fs;
use std::path::Path;

const ADDRESS: u8 = 0x68;
/// 2026-11-27 09:00:03 UTC, a Friday, as the chip tells it.
const MOMENT_S: u64 = 1_795_770_003;
const CALENDAR: [u8; 7] = [0x03, 0x00, 0x09, 0x06, 0x27, 0x11, 0x26];

fn status(flags: u8) -> Transaction {
    Transaction::write_read(ADDRESS, vec![0x0f], vec![flags])
}

fn calendar(registers: [u8; 7]) -> Transaction {
    Transaction::write_read(ADDRESS, vec![0x00], registers.to_vec())
}

/// Lets the driver act on a bus that expects exactly these transfers.
fn on_bus<T>(expected: &[Transaction], act: impl FnOnce(&mut dyn Rtc) -> T) -> T {
    let mut chip = Ds3231::new(Mock::new(expected), "the clock chip".to_owned());
    let done = act(&mut chip);
    chip.release().done();
    done
}

/// A chip that says the same at both readings.
fn twice(reading: &[Transaction]) -> Vec<Transaction> {
    [reading, reading].concat()
}

#[test]
fn a_good_time_is_read_in_one_transfer_so_that_no_second_changes_in_between() {
    let look = on_bus(&twice(&[status(0), calendar(CALENDAR)]), |chip| chip.read());
    assert_eq!(look, Ok(Look::At(MOMENT_S)));
}

/// The calendar some seconds after the first, with bits of its day turned.
fn garbled(seconds: u8, bits: u8) -> Transaction {
    let mut registers = CALENDAR;
    registers[0] += seconds;
    registers[4] ^= bits;
    calendar(registers)
}

#[test]
fn a_second_may_pass_between_two_readings_and_nothing_else() {
    let look = |first, second| on_bus(&[status(0), first, status(0), second], |chip| chip.read());
    assert_eq!(look(calendar(CALENDAR), garbled(1, 0)), Ok(Look::At(MOMENT_S + 1)));
    let settled = [status(0), garbled(1, 0), status(0), calendar(CALENDAR), status(0), calendar(CALENDAR)];
    assert_eq!(on_bus(&settled, |chip| chip.read()), Ok(Look::At(MOMENT_S)), "back is not a second on");
}

#[test]
fn a_reading_that_a_bad_wire_turned_into_another_day_is_not_given_on() {
    let good = || [status(0), calendar(CALENDAR)];
    for bad in [[status(0), garbled(0, 0x08)], [status(0x80), calendar(CALENDAR)], [status(0), calendar([0xff; 7])]] {
        let bad = &bad[..if bad[0] == status(0x80) { 1 } else { 2 }];
        let look = on_bus(&[bad, &good(), &good()].concat(), |chip| chip.read());
        assert_eq!(look, Ok(Look::At(MOMENT_S)));
        let look = on_bus(&[&good()[..], bad, &good(), &good()].concat(), |chip| chip.read());
        assert_eq!(look, Ok(Look::At(MOMENT_S)));
    }
}

#[test]
fn a_chip_that_says_something_else_each_time_is_told_with_the_remedy() {
    let readings = [0x01, 0x02, 0x04, 0x20].map(|bits| [status(0), garbled(0, bits)]).concat();
    let Err(PortError::Failed(told)) = on_bus(&readings, |chip| chip.read()) else { panic!("it was believed") };
    assert!(told.contains("the clock chip") && told.contains("wires"), "{told}");
}

#[test]
fn an_oscillator_that_stood_still_is_an_empty_battery_whatever_the_calendar_says() {
    assert_eq!(on_bus(&twice(&[status(0x80)]), |chip| chip.read()), Ok(Look::LostPower));
    // Other flags of that register mean nothing here.
    let flagged = twice(&[status(0x0f), calendar(CALENDAR)]);
    assert_eq!(on_bus(&flagged, |chip| chip.read()), Ok(Look::At(MOMENT_S)));
}

#[test]
fn a_calendar_that_can_not_be_is_a_chip_that_was_never_set() {
    for registers in [[0xff; 7], [0, 0, 0, 1, 0, 0, 0], [0, 0x61, 0, 1, 1, 1, 0x26], [0, 0, 0, 1, 0x31, 0x02, 0x26]] {
        let look = on_bus(&twice(&[status(0), calendar(registers)]), |chip| chip.read());
        assert_eq!(look, Ok(Look::LostPower), "{registers:02x?}");
    }
}

#[test]
fn a_chip_that_does_not_answer_is_told_with_the_remedy() {
    let nobody = || ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
    let silent = on_bus(&[status(0).with_error(nobody())], |chip| chip.read());
    let Err(PortError::Failed(told)) = silent else { panic!("{silent:?}") };
    assert!(told.contains("the clock chip") && told.contains("0x68") && told.contains("wires"), "{told}");
    let silent = on_bus(&[status(0), calendar(CALENDAR).with_error(nobody())], |chip| chip.read());
    assert!(matches!(silent, Err(PortError::Failed(_))));
}

#[test]
fn setting_the_time_writes_the_calendar_starts_the_oscillator_and_clears_the_flag_last() {
    let set = [
        Transaction::write(ADDRESS, [&[0x00], &CALENDAR[..]].concat()),
        Transaction::write(ADDRESS, vec![0x0e, 0x1c]),
        // The alarm flags are written as ones, which leaves them as they are; the 32 kHz pin stays as at power-up.
        Transaction::write(ADDRESS, vec![0x0f, 0x0b]),
    ];
    assert_eq!(on_bus(&set, |chip| chip.set(MOMENT_S)), Ok(()));
}

#[test]
fn a_moment_that_the_chip_can_not_tell_is_refused() {
    for unix_s in [0, 946_684_799, u64::MAX] {
        let refused = on_bus(&[], |chip| chip.set(unix_s));
        let Err(PortError::Failed(told)) = refused else { panic!("{unix_s}: {refused:?}") };
        assert!(told.contains("2000 to 2099"), "{told}");
    }
}

fn simulated(control: &Path) -> Ds3231<SimRtc> {
    Ds3231::new(SimRtc::new(control), "the simulated chip".to_owned())
}

#[track_caller]
fn assert_off(look: Result<Look, PortError>, off_s: i64) {
    let Ok(Look::At(unix_s)) = look else { panic!("{look:?}") };
    let expected_s = moment::now().saturating_add_signed(off_s);
    assert!(unix_s.abs_diff(expected_s) <= 1, "{unix_s} is not {expected_s}");
}

#[test]
fn the_simulated_chip_is_as_far_off_as_its_file_says_and_goes_on_without_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("rtc.txt");
    assert_off(simulated(&control).read(), 0);
    for off_s in [-300, 31_536_000, -600_000_000] {
        fs::write(&control, off_s.to_string()).unwrap();
        assert_off(simulated(&control).read(), off_s);
    }
}

#[test]
fn the_simulated_chip_tells_a_standstill_until_it_is_set_and_then_keeps_what_it_was_set_to() {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("rtc.txt");
    fs::write(&control, "-99 stopped").unwrap();
    let mut chip = simulated(&control);
    assert_eq!(chip.read(), Ok(Look::LostPower));
    chip.set(moment::now() + 3600).unwrap();
    assert_off(chip.read(), 3600);
    assert_off(simulated(&control).read(), 3600);
}

#[test]
fn the_simulated_chip_can_be_pulled_and_put_back_and_answers_at_its_own_address_only() {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("rtc.txt");
    fs::write(&control, "unplugged").unwrap();
    let mut chip = simulated(&control);
    assert!(matches!(chip.read(), Err(PortError::Failed(_))));
    fs::write(&control, "5").unwrap();
    assert_off(chip.read(), 5);
    assert!(SimRtc::new(&control).write_read(0x57, &[0], &mut [0]).is_err());
}

fn board(folder: &Path, clock: &str) -> Board {
    let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sim.toml");
    fs::write(folder.join("mine.toml"), format!("inherits = [{boards:?}]\n[clock]\n{clock}\n")).unwrap();
    Board::load(folder.join("mine.toml")).unwrap()
}

/// A state folder with a board whose clock is simulated; the system's clock was set if `synchronised` is there.
fn bench(says: &str) -> (tempfile::TempDir, Board) {
    let folder = tempfile::tempdir().unwrap();
    let sign = folder.path().join("synchronised");
    let board = board(folder.path(), &format!("source = \"simulated\"\nsign = {sign:?}"));
    fs::write(folder.path().join("rtc.txt"), says).unwrap();
    (folder, board)
}

fn synchronise(folder: &Path) {
    fs::write(folder.join("synchronised"), "").unwrap();
}

fn at(unix_s: u64) -> Option<SetTo> {
    Some(unix_s.to_string().parse().unwrap())
}

fn simulated_by(control: &Path) -> ClockSource {
    ClockSource::Simulated { control: control.to_owned() }
}

/// That the chip was left alone, and the gate told nothing.
#[track_caller]
fn assert_untouched(folder: &Path, says: &str) {
    assert_eq!(fs::read_to_string(folder.join("rtc.txt")).unwrap(), says);
    assert!(!folder.join("clock-set").exists());
}

#[test]
fn a_field_tech_reads_sets_and_reads_again() {
    let (folder, board) = bench("-86400 stopped");
    let said = run(&board, folder.path(), None).unwrap();
    assert!(said.contains("stood still") && said.contains("battery"), "{said}");
    synchronise(folder.path());
    let said = run(&board, folder.path(), Some(SetTo::Now)).unwrap();
    assert!(said.contains("as the system's clock does"), "{said}");
    let later_s = BUILD_UNIX_S + 86_400;
    let said = run(&board, folder.path(), at(later_s)).unwrap();
    assert!(said.contains(&moment::show(later_s)), "{said}");
    assert!("yesterday".parse::<SetTo>().unwrap_err().contains("now"));
    assert!(folder.path().join("clock-set").exists());
}

#[test]
fn now_is_refused_where_nothing_has_set_the_systems_clock_and_a_written_time_is_taken() {
    let (folder, board) = bench("-5 stopped");
    let error = run(&board, folder.path(), Some(SetTo::Now)).unwrap_err().to_string();
    assert!(error.contains("synchronised is not there") && error.contains("--set 20"), "{error}");
    assert_untouched(folder.path(), "-5 stopped");
    run(&board, folder.path(), at(BUILD_UNIX_S + 60)).unwrap();
    assert!(folder.path().join("clock-set").exists());
}

#[test]
fn a_moment_that_the_gate_would_not_believe_is_refused_before_the_chip_is_set_to_it() {
    const YEAR_S: u64 = 365 * 86_400;
    let (folder, board) = bench("7");
    let refused = |unix_s: u64| run(&board, folder.path(), at(unix_s)).unwrap_err().to_string();
    let built = moment::show(BUILD_UNIX_S);
    let error = refused(BUILD_UNIX_S - YEAR_S);
    assert!(error.contains("not set") && error.contains(&built), "{error}");
    let error = refused(BUILD_UNIX_S + 30 * YEAR_S);
    assert!(error.contains("not set") && error.contains("years after"), "{error}");
    let clock = GateClock::open(folder.path(), &board.clock, Teller::Technician).unwrap();
    clock.published(Published { number: (1, 1), at_s: BUILD_UNIX_S + YEAR_S });
    clock.look();
    drop(clock);
    let error = refused(BUILD_UNIX_S + YEAR_S / 2);
    assert!(error.contains(&moment::show(BUILD_UNIX_S + YEAR_S)), "what was signed is known: {error}");
    assert_untouched(folder.path(), "7");
}

#[test]
fn a_state_folder_that_is_not_there_or_not_writable_is_told_before_the_chip_is_set() {
    let (folder, board) = bench("7");
    // The chip's file is named by its whole path, so that it is the same whatever the state folder.
    let control = folder.path().join("rtc.txt");
    let board = Board { clock: menshen_gate::board::Clock { source: simulated_by(&control), ..board.clock }, ..board };
    fs::write(folder.path().join("a-file"), "").unwrap();
    for state in ["absent", "a-file"] {
        let error = run(&board, &folder.path().join(state), at(BUILD_UNIX_S + 60)).unwrap_err().to_string();
        assert!(error.contains("not set") && error.contains(state) && error.contains("--state"), "{error}");
        assert_untouched(folder.path(), "7");
    }
    run(&board, folder.path(), at(BUILD_UNIX_S + 60)).unwrap();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("try")), "{left:?}");
}

#[test]
fn a_board_without_a_chip_is_told_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(&board(folder.path(), "source = \"system\""), folder.path(), None).unwrap_err().to_string();
    assert!(error.contains("sim") && error.contains("source = \"rtc\""), "{error}");
}
