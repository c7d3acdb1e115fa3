//! What a field tech meets when a board file is right, wrong, or built on others.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::path::{Path, PathBuf};

use menshen_core::decide::Verdict;
use menshen_core::thermo::Protocol;
use menshen_gate::board::{
    Board, BuzzerDrive, Camera, ClockSource, Display, DisplayAt, Fail, Function, Inputs, Pin, PixelFormat, Pull,
    RelayRules, Rotate, SwitchAt, Thermometer, WiegandFrame, Wiring,
};
use menshen_gate::gate::fitted;
use menshen_lane::panel::Listen;
use menshen_lane::proof::Fitted;

fn boards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards")
}

/// A folder with the shipped base and one more board.
fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(boards().join("base.toml"), folder.path().join("base.toml")).unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    folder
}

fn load(text: &str) -> Result<Board, String> {
    let folder = folder_with("mine.toml", &format!("inherits = [\"base.toml\"]\n{text}"));
    Board::load(folder.path().join("mine.toml")).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(text: &str, said: &[&str]) {
    let error = load(text).unwrap_err();
    assert!(!error.contains('\n'), "one sentence: {error}");
    for part in said {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

fn header(board: Board) -> Vec<Pin> {
    let Wiring::Header(pins) = board.outputs.wiring else { panic!("not the header") };
    pins
}

#[test]
fn every_shipped_board_loads_and_is_named_after_its_file() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(boards()).unwrap() {
        let path = entry.unwrap().path();
        let board = Board::load(&path).unwrap();
        assert_eq!(Some(board.name.as_str()), path.file_stem().unwrap().to_str());
        names.push(board.name);
    }
    names.sort();
    assert_eq!(names, ["base", "pi-3b", "pi-4b", "pi-5", "pi-zero-2w", "sim"]);
}

#[test]
fn a_board_keeps_what_it_inherits_and_overrides_what_it_says() {
    let board = Board::load(boards().join("pi-5.toml")).unwrap();
    let Some(Thermometer::Serial { port, baud, .. }) = &board.thermometer else { panic!("{board:?}") };
    assert_eq!((port.to_str(), *baud), (Some("/dev/ttyAMA0"), 9600));
    let pins = header(board);
    assert_eq!(pins.iter().find(|pin| pin.function == Function::Relay).unwrap().bcm, 17);
}

#[test]
fn the_simulated_board_needs_no_hardware() {
    let board = Board::load(boards().join("sim.toml")).unwrap();
    assert!(matches!(board.camera, Camera::Folder { .. }));
    assert!(matches!(board.thermometer, Some(Thermometer::Simulated { .. })));
    assert!(matches!(board.outputs.wiring, Wiring::Trace { .. }));
    assert_eq!(board.inputs, Inputs::default());
    assert_eq!(board.clock.source, ClockSource::System);
}

#[test]
fn of_several_parents_the_later_wins_and_the_file_itself_wins_over_all() {
    let folder = folder_with("a.toml", "[outputs.pins]\nrelay = 5\nbuzzer = 6\n");
    std::fs::create_dir(folder.path().join("more")).unwrap();
    std::fs::write(folder.path().join("more/b.toml"), "[outputs.pins]\nrelay = 12\nbuzzer = 13\n").unwrap();
    let mine = "inherits = [\"base.toml\", \"a.toml\", \"more/b.toml\"]\n[outputs.pins]\nbuzzer = 26\n";
    std::fs::write(folder.path().join("mine.toml"), mine).unwrap();
    let pins = header(Board::load(folder.path().join("mine.toml")).unwrap());
    let numbers: Vec<_> = pins.iter().map(|pin| pin.bcm).collect();
    assert_eq!(numbers, [12, 22, 23, 24, 26]);
}

#[test]
fn an_active_low_relay_is_known_as_such() {
    let pins = header(load("[outputs]\nactive_low = [\"relay\"]").unwrap());
    let low: Vec<_> = pins.iter().filter(|pin| pin.active_low).map(|pin| pin.function).collect();
    assert_eq!(low, [Function::Relay]);
}

#[test]
fn a_typo_in_a_key_is_told_by_file_line_and_what_is_allowed() {
    refused("[thermometer]\nbaudrate = 9600", &["mine.toml line 3", "`baudrate`", "`baud`"]);
}

#[test]
fn a_typo_in_an_inherited_file_is_told_by_that_file() {
    let folder = folder_with("middle.toml", "inherits = [\"base.toml\"]\n[camera]\nkind = \"folder\"\npaths = \"x\"\n");
    std::fs::write(folder.path().join("mine.toml"), "inherits = [\"middle.toml\"]\n").unwrap();
    let error = Board::load(folder.path().join("mine.toml")).unwrap_err().to_string();
    assert!(error.contains("middle.toml line 4") && error.contains("`paths`"), "{error}");
}

#[test]
fn an_unknown_kind_is_told_with_the_kinds_there_are() {
    refused("[camera]\nkind = \"v4l3\"", &["line 3", "`v4l3`", "`folder`", "`y4m`", "`v4l2`", "`rpicam`"]);
    refused("[camera]\nformat = \"h264\"", &["line 3", "`h264`", "`auto`", "`mjpeg`", "`yuyv`"]);
    refused("[outputs]\nactive_low = [\"barrier\"]", &["line 3", "`barrier`", "`relay`"]);
}

#[test]
fn what_is_not_toml_is_told_by_line() {
    refused("[camera\nkind = 1", &["mine.toml line 2"]);
}

#[test]
fn two_functions_on_one_pin_are_refused() {
    refused("[outputs.pins]\nbuzzer = 17", &["GPIO 17", "`relay`", "`buzzer`"]);
}

#[test]
fn a_pin_of_a_bus_is_refused() {
    refused("[outputs.pins]\nrelay = 14", &["GPIO 14", "`relay`", "reserved_pins"]);
}

#[test]
fn a_pin_off_the_header_is_refused() {
    refused("[outputs.pins]\nrelay = 28", &["outputs.pins.relay", "28", "0 to 27"]);
}

#[test]
fn what_a_pin_can_not_be_is_told_with_what_it_can() {
    refused("[outputs.pins]\nrelay = -1", &["line 3", "-1", "0 to 27", "none"]);
    refused("[outputs.pins]\nrelay = \"off\"", &["line 3", "off", "none"]);
}

#[test]
fn a_pin_that_is_inherited_can_be_left_out() {
    let pins = header(load("[outputs.pins]\nbuzzer = \"none\"").unwrap());
    assert!(pins.iter().all(|pin| pin.function != Function::Buzzer));
}

#[test]
fn a_board_that_opens_nothing_is_refused_and_an_access_controller_is_something() {
    let no_relay = "[outputs.pins]\nrelay = \"none\"\n";
    refused(no_relay, &["mine.toml", "nothing opens", "outputs.pins.relay", "outputs.wiegand"]);
    let board = load(&format!("{no_relay}{WIEGAND}")).unwrap();
    assert!(!board.outputs.has_relay() && board.outputs.wiegand.is_some());
    let alarm = "[inputs]\nkind = \"rppal\"\n[inputs.pins]\nfire_alarm = 26\n";
    refused(&format!("{no_relay}{WIEGAND}{alarm}"), &["inputs.pins.fire_alarm", "relay", "none"]);
}

#[test]
fn what_can_be_tried_out_before_a_shift_is_what_is_wired() {
    let lamps = vec![Verdict::Admit, Verdict::Refer, Verdict::Refuse];
    let usual = Fitted { relay: true, controller: false, lamps, buzzer: true, loudspeaker: false };
    assert_eq!(fitted(&load("").unwrap()), usual);
    let pins = "[outputs.pins]\nrelay = \"none\"\nlamp_refer = \"none\"\nlamp_refuse = \"none\"\nbuzzer = \"none\"\n";
    let few = fitted(&load(&format!("{pins}{WIEGAND}[sound]\nkind = \"alsa\"\n")).unwrap());
    let lamps = vec![Verdict::Admit];
    assert_eq!(few, Fitted { relay: false, controller: true, lamps, buzzer: false, loudspeaker: true });
}

#[test]
fn a_relay_has_a_maximum_and_a_side_to_fail_to() {
    assert_eq!(load("").unwrap().outputs.relay, RelayRules { max_ms: 5000, fail: Fail::Secure });
    let rules = load("[outputs]\nrelay_max_ms = 30000\nfail = \"safe\"").unwrap().outputs.relay;
    assert_eq!(rules, RelayRules { max_ms: 30_000, fail: Fail::Safe });
    refused("[outputs]\nrelay_max_ms = 499", &["outputs.relay_max_ms", "499", "500 to 30000"]);
    refused("[outputs]\nrelay_max_ms = 30001", &["outputs.relay_max_ms", "30001", "500 to 30000"]);
    refused("[outputs]\nfail = \"open\"", &["line 3", "`open`", "`secure`", "`safe`"]);
}

#[test]
fn no_pin_whose_pull_would_lock_a_safe_way_or_hold_a_line_of_wiegand_low_while_the_device_boots() {
    let safe = |low: &str, bcm: u8| {
        format!("[outputs]\nfail = \"safe\"\nactive_low = [{low}]\n[outputs.pins]\nrelay = {bcm}\n")
    };
    for bcm in [4, 8] {
        refused(&safe("", bcm), &["outputs.pins.relay", "pulled up", "9 to 27"]);
        assert!(load(&safe("\"relay\"", bcm)).is_ok());
    }
    for bcm in [9, 27] {
        refused(&safe("\"relay\"", bcm), &["outputs.pins.relay", "pulled down", "4 to 8"]);
        assert!(load(&safe("", bcm)).is_ok());
        assert!(load(&safe("\"relay\"", bcm).replace("safe", "secure")).is_ok());
    }
    refused(&WIEGAND.replace("d0 = 16", "d0 = 8"), &["outputs.wiegand.d0", "inverted = true", "9 to 27"]);
    let straight = format!("{WIEGAND}inverted = false\n");
    refused(&straight, &["outputs.wiegand.d0", "inverted = false", "0 to 8"]);
    assert!(load(&straight.replace("= 16", "= 5").replace("= 20", "= 6")).is_ok());
}

#[test]
fn a_buzzer_sounds_by_itself_or_is_given_a_tone() {
    assert_eq!(load("").unwrap().outputs.buzzer, BuzzerDrive::Active);
    let drive = |more: &str| load(&format!("[outputs]\nbuzzer = \"passive\"\n{more}")).unwrap().outputs.buzzer;
    assert_eq!(drive(""), BuzzerDrive::Passive { hz: 2700, duty_percent: 50, hardware: false });
    let hardware = drive("buzzer_hz = 4000\nbuzzer_duty_percent = 20\nbuzzer_pwm = \"hardware\"\npins.buzzer = 18");
    assert_eq!(hardware, BuzzerDrive::Passive { hz: 4000, duty_percent: 20, hardware: true });
    refused("[outputs]\nbuzzer = \"passive\"\nbuzzer_pwm = \"hardware\"", &["outputs.pins.buzzer", "25", "12, 13, 18"]);
    refused("[outputs]\nbuzzer_pwm = \"hardware\"", &["outputs.buzzer_pwm", "passive"]);
    refused("[outputs]\nbuzzer_hz = 50", &["outputs.buzzer_hz", "50", "100 to 10000"]);
    refused("[outputs]\nbuzzer_duty_percent = 60", &["outputs.buzzer_duty_percent", "60", "1 to 50"]);
}

const WIEGAND: &str = "[outputs.wiegand]\nformat = 26\nfacility = 101\ncard = 4095\nd0 = 16\nd1 = 20\n";

#[test]
fn wiegand_is_a_number_two_pins_and_a_timing_within_the_standard() {
    let wiegand = load(WIEGAND).unwrap().outputs.wiegand.unwrap();
    assert_eq!(wiegand.frame, WiegandFrame::W26 { facility: 101, card: 4095 });
    assert_eq!((wiegand.d0, wiegand.d1, wiegand.inverted), (16, 20, true));
    assert_eq!((wiegand.pulse_us, wiegand.gap_us), (100, 2000));
    let wider = load(&WIEGAND.replace("26", "34").replace("101", "65535")).unwrap().outputs.wiegand.unwrap();
    assert_eq!(wider.frame, WiegandFrame::W34 { facility: 65_535, card: 4095 });
    let with = |more: &str, said: &[&str]| refused(&format!("{WIEGAND}{more}"), said);
    with("pulse_us = 19", &["outputs.wiegand.pulse_us", "19", "20 to 200"]);
    with("pulse_us = 201", &["outputs.wiegand.pulse_us", "201", "20 to 200"]);
    with("gap_us = 199", &["outputs.wiegand.gap_us", "199", "200 to 20000"]);
    refused(&WIEGAND.replace("26", "37"), &["outputs.wiegand.format", "37", "26 or 34"]);
    refused(&WIEGAND.replace("101", "256"), &["outputs.wiegand.facility", "256", "0 to 255"]);
    refused(&WIEGAND.replace("4095", "65536"), &["mine.toml line 5", "65536"]);
    for key in ["format", "facility", "card", "d0", "d1"] {
        let lines = WIEGAND.lines().filter(|line| !line.starts_with(key));
        refused(&lines.collect::<Vec<_>>().join("\n"), &[&format!("outputs.wiegand.{key}"), "does not say"]);
    }
}

#[test]
fn every_function_has_a_pin_of_its_own_also_switches_and_the_lines_of_wiegand() {
    refused(&WIEGAND.replace("d1 = 20", "d1 = 17"), &["GPIO 17", "`relay`", "`wiegand.d1`"]);
    refused(&WIEGAND.replace("d1 = 20", "d1 = 16"), &["GPIO 16", "`wiegand.d0`", "`wiegand.d1`"]);
    refused(&WIEGAND.replace("d1 = 20", "d1 = 2"), &["GPIO 2", "`wiegand.d1`", "reserved_pins"]);
    refused(&WIEGAND.replace("d1 = 20", "d1 = 28"), &["outputs.wiegand.d1", "28", "0 to 27"]);
    let inputs =
        |pins: &str, said: &[&str]| refused(&format!("[inputs]\nkind = \"rppal\"\n[inputs.pins]\n{pins}"), said);
    inputs("button = 22", &["GPIO 22", "`lamp_admit`", "`button`"]);
    inputs("button = 5\npresence = 5", &["GPIO 5", "`button`", "`presence`"]);
    inputs("fire_alarm = 15", &["GPIO 15", "`fire_alarm`", "reserved_pins"]);
    inputs("presence = 40", &["inputs.pins.presence", "40", "0 to 27"]);
}

#[test]
fn a_switch_is_pulled_to_rest_and_a_torn_wire_of_the_fire_alarm_to_an_alarm() {
    let inputs = |low: &str| {
        let pins = "[inputs.pins]\nbutton = 5\npresence = 6\nfire_alarm = 26\n";
        load(&format!("[inputs]\nkind = \"rppal\"\nactive_low = [{low}]\n{pins}")).unwrap().inputs
    };
    let pull = |inputs: Inputs| {
        [inputs.button, inputs.presence, inputs.fire_alarm].map(|switch| match switch.unwrap().at {
            SwitchAt::Header { pull, .. } => pull,
            SwitchAt::File { .. } => panic!("not the header"),
        })
    };
    assert_eq!(pull(inputs("")), [Pull::Down, Pull::Down, Pull::Up]);
    assert_eq!(pull(inputs("\"button\", \"presence\", \"fire_alarm\"")), [Pull::Up, Pull::Up, Pull::Down]);
    let debounce = inputs("");
    let debounce_ms =
        [debounce.button, debounce.presence, debounce.fire_alarm].map(|switch| switch.unwrap().debounce_ms);
    assert_eq!(debounce_ms, [30, 100, 50]);
    let own = "[inputs]\nkind = \"rppal\"\npins.button = 5\npull.button = \"off\"\ndebounce_ms.button = 80";
    let button = load(own).unwrap().inputs.button.unwrap();
    assert_eq!((button.at, button.debounce_ms), (SwitchAt::Header { bcm: 5, pull: Pull::Off }, 80));
}

#[test]
fn switches_that_can_not_be_are_refused_by_key_and_what_is_allowed() {
    refused("[inputs]\nkind = \"gpio\"", &["line 3", "`gpio`", "`rppal`", "`simulated`", "`none`"]);
    refused("[inputs]\nactive_low = [\"relay\"]", &["line 3", "`relay`", "`button`"]);
    refused("[inputs]\nkind = \"rppal\"\npull.button = \"high\"", &["line 4", "`high`", "`up`"]);
    refused("[inputs]\nkind = \"rppal\"\ndebounce_ms.button = 19", &["inputs.debounce_ms.button", "19", "20 to 1000"]);
    let folder = folder_with("mine.toml", "inherits = [\"base.toml\"]\n[inputs]\nkind = \"simulated\"\n");
    let board = Board::load(folder.path().join("mine.toml")).unwrap();
    assert_eq!(board.inputs.button.unwrap().at, SwitchAt::File { control: "inputs.txt".into() });
}

#[test]
fn a_speed_that_no_unit_has_is_refused() {
    refused("[thermometer]\nbaud = 9601", &["thermometer.baud", "9601", "115200"]);
}

#[test]
fn a_thermometer_is_found_out_named_or_given_by_its_registers() {
    let protocol = |more: &str| match load(&format!("[thermometer]\nkind = \"serial\"\n{more}")).unwrap().thermometer {
        Some(Thermometer::Serial { protocol, .. }) => protocol,
        other => panic!("{other:?}"),
    };
    assert_eq!(protocol("protocol = \"auto\""), None);
    assert_eq!(protocol("protocol = \"rqvk002\""), Some(Protocol::Rqvk002));
    let registers = "[thermometer.modbus]\nunit = 1\nfunction = 3\nobject_register = 0\nambient_register = 1\n";
    let head = |step: &str| format!("protocol = \"modbus-rtu\"\n{registers}step_centi_c = {step}");
    assert!(matches!(protocol(&head("10")), Some(Protocol::ModbusRtu(map)) if map.step_centi_c == 10));
    let refused_head = |more: &str, said: &[&str]| refused(&format!("[thermometer]\nkind = \"serial\"\n{more}"), said);
    refused_head(&head("0"), &["thermometer.modbus", "step of 0"]);
    refused_head(&head("10").replace("= 3", "= 6"), &["thermometer.modbus.function", "6", "holding"]);
    refused_head("protocol = \"modbus-rtu\"", &["thermometer.modbus.function"]);
}

#[test]
fn readings_are_corrected_for_the_distance_by_the_makers_curve_or_ones_own() {
    let correction = |more: &str| load(&format!("[thermometer]\n{more}")).unwrap().correction;
    assert_eq!(correction("").distance_centi_c, 0);
    assert_eq!(correction("distance_cm = 20").distance_centi_c, 112);
    assert_eq!(correction("distance_cm = 20\ndistance_curve = [[5, 0], [25, 40]]").distance_centi_c, 30);
    assert_eq!(correction("ambient_curve = [[1000, 60], [2000, 0]]").ambient.unwrap().at(1500), 30);
    refused("[thermometer]\nambient_curve = [[2000, 0], [1000, 60]]", &["thermometer.ambient_curve", "must rise"]);
    refused(
        "[thermometer]\ndistance_curve = [[10, 900]]\ndistance_cm = 10",
        &["thermometer.distance_curve", "more than 500"],
    );
}

#[test]
fn a_panel_address_without_a_port_is_refused() {
    refused("[panel]\nlisten = \"127.0.0.1\"", &["panel.listen", "8460"]);
    assert!(load("[panel]\nlisten = \"off\"").unwrap().panel_listen.is_empty());
}

#[test]
fn a_panel_is_served_where_the_board_names_and_nowhere_else() {
    let board = load("[panel]\nlisten = [\"127.0.0.1:8460\", \"wlan0:8460\"]").unwrap();
    let wlan = Listen::On { interface: "wlan0".into(), port: 8460 };
    assert_eq!(board.panel_listen, [Listen::At(([127, 0, 0, 1], 8460).into()), wlan]);
    refused("[panel]\nlisten = [\"localhost:8460\"]", &["panel.listen", "localhost", "wlan0:8460"]);
}

#[test]
fn a_file_that_inherits_itself_through_another_is_told() {
    let folder = folder_with("a.toml", "inherits = [\"b.toml\"]\n");
    std::fs::write(folder.path().join("b.toml"), "inherits = [\"a.toml\"]\n").unwrap();
    let error = Board::load(folder.path().join("a.toml")).unwrap_err().to_string();
    assert!(error.contains("a.toml") && error.contains("b.toml") && error.contains("inherits itself"), "{error}");
}

#[test]
fn a_parent_that_is_not_there_is_told_with_the_file_that_names_it() {
    let folder = folder_with("mine.toml", "inherits = [\"bass.toml\"]\n");
    let error = Board::load(folder.path().join("mine.toml")).unwrap_err().to_string();
    assert!(error.contains("mine.toml inherits") && error.contains("bass.toml"), "{error}");
}

#[test]
fn a_board_that_is_not_whole_is_told_what_it_lacks() {
    let folder = folder_with("mine.toml", "[board]\nname = \"mine\"\n");
    let error = Board::load(folder.path().join("mine.toml")).unwrap_err().to_string();
    assert!(error.contains("camera.kind"), "{error}");
}

#[test]
fn a_shipped_board_of_a_pi_has_the_camera_on_its_ribbon_at_a_speed_it_can_read() {
    for (name, fps) in [("pi-zero-2w", 10), ("pi-3b", 15), ("pi-4b", 30), ("pi-5", 30)] {
        let board = Board::load(boards().join(format!("{name}.toml"))).unwrap();
        let Camera::Rpicam(camera) = board.camera else { panic!("{name}: {:?}", board.camera) };
        assert_eq!((camera.size.width, camera.size.height, camera.size.fps), (1280, 720, fps), "{name}");
    }
}

#[test]
fn a_shipped_board_of_a_pi_has_the_clock_chip_on_the_bus_of_the_header() {
    for name in ["pi-zero-2w", "pi-3b", "pi-4b", "pi-5"] {
        let board = Board::load(boards().join(format!("{name}.toml"))).unwrap();
        assert_eq!(board.clock.source, ClockSource::Rtc { bus: 1 }, "{name}");
    }
}

#[test]
fn a_clock_is_one_word_and_an_unknown_one_is_told_with_those_there_are() {
    let source = |word: &str| load(&format!("[clock]\nsource = \"{word}\"")).unwrap().clock.source;
    assert_eq!(source("synchronised"), ClockSource::Synchronised);
    assert_eq!(source("simulated"), ClockSource::Simulated { control: "rtc.txt".into() });
    refused("[clock]\nsource = \"ntp\"", &["line 3", "`ntp`", "`rtc`", "`system`", "`synchronised`"]);
}

#[test]
fn a_usb_camera_is_two_lines() {
    let Camera::V4l2(camera) = load("[camera]\nkind = \"v4l2\"\ndevice = \"C920\"").unwrap().camera else {
        panic!("not a kernel camera")
    };
    assert_eq!((camera.device.as_str(), camera.size.width, camera.format), ("C920", 1280, None));
    assert_eq!((camera.power_line_hz, camera.exposure_us, camera.bracketing), (50, None, true));
}

#[test]
fn what_is_set_on_a_usb_camera_is_kept_and_an_exposure_of_nothing_is_the_cameras_choice() {
    let more = "kind = \"v4l2\"\nformat = \"mjpeg\"\nfocus = 30\nexposure_us = 8000\nbracketing = false";
    let Camera::V4l2(camera) = load(&format!("[camera]\n{more}")).unwrap().camera else {
        panic!("not a kernel camera")
    };
    assert_eq!((camera.format, camera.focus), (Some(PixelFormat::Mjpeg), Some(30)));
    assert_eq!((camera.exposure_us, camera.bracketing), (Some(8000), false));
    let Camera::V4l2(camera) = load("[camera]\nkind = \"v4l2\"\nexposure_us = 0").unwrap().camera else {
        panic!("not a kernel camera")
    };
    assert_eq!(camera.exposure_us, None);
}

#[test]
fn a_focus_in_whole_dioptres_needs_no_point() {
    for written in ["4", "4.0"] {
        let Camera::Rpicam(camera) = load(&format!("[camera]\nlens_position = {written}")).unwrap().camera else {
            panic!("not a ribbon camera")
        };
        assert_eq!(camera.lens_position, Some(4.0));
    }
}

#[test]
fn a_camera_that_can_not_be_is_refused_by_key_and_what_is_allowed() {
    refused("[camera]\nwidth = 1000", &["camera.width", "1000", "multiple of 128"]);
    refused("[camera]\nheight = 721", &["camera.height", "721", "even"]);
    refused("[camera]\nwidth = 8192", &["camera.width", "8192", "4096"]);
    refused("[camera]\nfps = 0", &["camera.fps", "1 to 120"]);
    refused("[camera]\nlens_position = -1.0", &["camera.lens_position", "-1", "0 to 32"]);
    refused("[camera]\nev = nan", &["camera.ev", "NaN", "-10 to 10"]);
    refused("[camera]\nkind = \"v4l2\"\npower_line_hz = 55", &["camera.power_line_hz", "55", "50, 60 or 0"]);
    refused("[camera]\nkind = \"v4l2\"\ndevice = \" \"", &["camera.device", "/dev/video0"]);
    refused("[camera]\nresolution = 3", &["line 3", "`resolution`", "`width`"]);
}

/// A second lane with everything of its own.
const SECOND: &str = "\n[[lanes]]\n\
    camera = { kind = \"v4l2\", device = \"/dev/video2\" }\n\
    thermometer = { port = \"/dev/ttyUSB1\" }\n\
    outputs = { pins = { relay = 5, lamp_admit = 6, lamp_refer = 12, lamp_refuse = 13, buzzer = \"none\" } }\n\
    panel = { listen = \"127.0.0.1:8461\" }\n";

#[test]
fn a_second_lane_has_what_it_says_and_shares_what_it_does_not() {
    let board = load(SECOND).unwrap();
    let [first, second] = &board.all_lanes().collect::<Vec<_>>()[..] else { panic!("two lanes") };
    let Some(Thermometer::Serial { port, baud, .. }) = &second.thermometer else { panic!("{second:?}") };
    assert_eq!((port.to_str(), *baud), (Some("/dev/ttyUSB1"), 9600));
    let pins = |board: &Board| {
        let pins = header(board.clone());
        pins.iter().map(|pin| (pin.function, pin.bcm)).collect::<Vec<_>>()
    };
    assert_eq!(pins(second)[0], (Function::Relay, 5));
    assert_eq!((pins(first).len(), pins(second).len()), (5, 4));
    let places = [first, second].map(|lane| lane.panel_listen[0].to_string());
    assert_eq!(places, ["127.0.0.1:8460", "127.0.0.1:8461"]);
    assert!(load("").unwrap().further_lanes.is_empty());
}

#[test]
fn what_two_lanes_can_not_share_is_refused() {
    let second = |without: &str, instead: &str| SECOND.replace(without, instead);
    refused(&second("relay = 5", "relay = 17"), &["GPIO 17", "`relay`", "`relay of lane 2`"]);
    refused(&second("relay = 5", "relay = 22"), &["GPIO 22", "`lamp_admit`", "`relay of lane 2`"]);
    refused(&second("thermometer = { port = \"/dev/ttyUSB1\" }\n", ""), &["lane 2", "/dev/serial0"]);
    refused(&second("panel = { listen = \"127.0.0.1:8461\" }\n", ""), &["lane 2", "127.0.0.1:8460"]);
    refused(&second("camera = { kind = \"v4l2\", device = \"/dev/video2\" }\n", ""), &["lane 2", "one camera"]);
    let third = format!("{SECOND}{SECOND}");
    refused(&third, &["lane 2", "lane 3"]);
}

#[test]
fn lanes_share_a_fire_alarm_with_the_same_settings_and_none_with_a_relay_is_without_it() {
    let alarm = "[inputs]\nkind = \"rppal\"\n[inputs.pins]\nfire_alarm = 26\n";
    let board = load(&format!("{alarm}{SECOND}")).unwrap();
    assert_eq!(board.inputs.fire_alarm, board.further_lanes[0].inputs.fire_alarm);
    assert!(board.inputs.fire_alarm.is_some());
    let second = |inputs: &str| format!("{alarm}{SECOND}inputs = {{ {inputs} }}\n");
    assert!(load(&second("pins = { fire_alarm = 27 }")).is_ok());
    refused(&second("debounce_ms = { fire_alarm = 60 }"), &["inputs.pins.fire_alarm", "26", "`debounce_ms`"]);
    refused(&second("pins = { button = 26 }"), &["GPIO 26", "`fire_alarm`", "`button of lane 2`"]);
    refused(&second("pins = { fire_alarm = \"none\" }"), &["lane 2", "`inputs.pins.fire_alarm`"]);
    let first_without = format!("{SECOND}inputs = {{ kind = \"rppal\", pins = {{ fire_alarm = 26 }} }}\n");
    refused(&first_without, &["lane 1", "`inputs.pins.fire_alarm`"]);
}

#[test]
fn what_only_the_device_has_no_lane_has_of_its_own() {
    refused("[[lanes]]\nclock = { source = \"system\" }\n", &["line 3", "`clock`", "`camera`"]);
    refused("[[lanes]]\ncamera = { devize = \"x\" }\n", &["line 3", "`devize`"]);
}

#[test]
fn a_screen_is_a_framebuffer_or_a_picture_and_turned_as_it_is_mounted() {
    assert_eq!(load("").unwrap().display, None, "without a word there is none");
    let board = load("[display]\nkind = \"framebuffer\"\nrotate = 270\nlang = \"en\"").unwrap();
    let english = menshen_lane::words::Lang::parse("en").unwrap();
    let framebuffer = DisplayAt::Framebuffer { device: "/dev/fb0".into() };
    assert_eq!(board.display, Some(Display { at: framebuffer, rotate: Rotate::Left, lang: english }));
    let board = load("[display]\nkind = \"picture\"\nwidth = 480\nheight = 800").unwrap();
    let picture = DisplayAt::Picture { path: "screen.png".into(), width: 480, height: 800 };
    let lang = menshen_lane::words::Lang::parse("zh").unwrap();
    assert_eq!(board.display, Some(Display { at: picture, rotate: Rotate::None, lang }));
}

#[test]
fn a_slip_in_a_screens_keys_is_refused_with_what_is_allowed() {
    refused("[display]\nkind = \"hdmi\"", &["line", "framebuffer"]);
    refused("[display]\ndevise = \"/dev/fb1\"", &["line", "device"]);
    refused("[display]\nrotate = 45", &["`display.rotate` is 45", "90, 180 or 270"]);
    refused("[display]\nlang = \"xx\"", &["`display.lang` is \"xx\"", "\"zh\" or \"en\""]);
    refused("[display]\nkind = \"picture\"\nwidth = 10", &["`display.width` is 10", "240 to 4096"]);
}

#[test]
fn two_lanes_do_not_paint_on_one_screen() {
    let lanes = |second: &str| {
        load(&format!(
            "[camera]\nkind = \"v4l2\"\n[display]\nkind = \"framebuffer\"\n[[lanes]]\ncamera = {{ device = \"/dev/video2\" }}\n\
             thermometer = {{ port = \"/dev/ttyUSB0\" }}\npanel = {{ listen = \"off\" }}\n{second}\n\
             outputs = {{ pins = {{ relay = 5, lamp_admit = 6, lamp_refer = 12, lamp_refuse = 13, buzzer = 16 }} }}"
        ))
    };
    let error = lanes("").unwrap_err();
    assert!(error.contains("both use the screen /dev/fb0"), "{error}");
    let board = lanes("display = { device = \"/dev/fb1\" }").unwrap();
    assert_eq!(board.all_lanes().filter(|lane| lane.display.is_some()).count(), 2);
}
