//! A gate before a screen of a real kernel: what it paints is what the machine's display shows, and at the end it is dark.
//!
//! As `camera_vivid` does it, a virtual machine is started with nothing in it but the program, here with a display adapter of
//! 800 × 480 whose driver gives it a framebuffer. Somebody shows a code that is no pass; the picture that QEMU's display has
//! is compared with what the painter paints in this process. Needs what `camera_vivid` needs, without v4l-utils. Where
//! something is missing the test is skipped, and says so loudly; with `MENSHEN_E2E=must` in the environment it fails instead.
//!
//! `MENSHEN_SCREEN_GATE` names another gate program to run, such as the one of a release build, whose figures are printed:
//!
//! ```sh
//! MENSHEN_SCREEN_GATE=target/release/menshen-gate cargo test -p menshen-tests --features e2e --test screen_qemu -- --nocapture
//! ```
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use menshen_core::decide::{Context, Measured, Shown, decide};
use menshen_core::ids::IssuerId;
use menshen_core::lane::Screen;
use menshen_core::policy::Policy;
use menshen_core::time::Time;
use menshen_lane::display::{self, Canvas, State, lay_out};
use menshen_lane::panel::{Bar, ClockView, ListsView, PanelInfo, PartView};
use menshen_lane::words::Lang;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than the machine runs on a slow host.
const PATIENCE: Duration = Duration::from_secs(200);
const SIZE: (u32, u32) = (800, 480);
/// The grounds of a refusal and of nothing.
const RED: u32 = 0xa8_12_1f;
const DARK: u32 = 0;
/// What the code says: no pass.
const MENU: &[u8] = b"https://example.com/menu";

const SITE: &str = "name_zh = \"试验门\"\nname_en = \"Trial gate\"\nlane = 1\nhome = 330100\ntrust = \"trust\"\n\
                    [policy]\nhold_other_ms = 60000\n";
const BOARD: &str = "inherits = [\"sim.toml\"]\n[camera]\nshow_ms = 60000\n[thermometer]\nkind = \"none\"\n[panel]\nlisten = \
                     \"off\"\n[display]\nkind = \"framebuffer\"\nlang = \"en\"\n";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A sheet of paper with the code, before the camera.
fn code(path: &Path) {
    let code = qrcode::QrCode::new(MENU).unwrap();
    let mut picture = image::GrayImage::from_pixel(1280, 720, image::Luma([235]));
    let (side, module) = (code.width(), 12);
    for (at, colour) in code.to_colors().into_iter().enumerate() {
        let (left, top) = ((at % side * module) as u32 + 420, (at / side * module) as u32 + 150);
        let ink = if colour == qrcode::Color::Dark { 20 } else { 235 };
        for (x, y) in (0..12).flat_map(|y| (0..12).map(move |x| (x, y))) {
            picture.put_pixel(left + x, top + y, image::Luma([ink]));
        }
    }
    picture.save(path).unwrap();
}

/// The machine's kernel and first disk; `None` where they can not be made here.
fn machine(folder: &Path) -> Option<PathBuf> {
    let missing = |what: &str| {
        assert!(std::env::var("MENSHEN_E2E").as_deref() != Ok("must"), "{what}");
        // Past the test harness, which shows what is printed only of a test that fails.
        let told = format!("\n*** SKIPPED: the screen of a real kernel was NOT tested: {} ***\n\n", what.trim());
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    };
    if Command::new("qemu-system-x86_64").arg("--version").stdout(Stdio::null()).status().is_err() {
        missing("no qemu-system-x86_64: apt-get install qemu-system-x86");
        return None;
    }
    let mut files = vec![here("screen/init"), here("../boards/base.toml"), here("../boards/sim.toml")];
    for (name, text) in [("board.toml", BOARD), ("site.toml", SITE)] {
        std::fs::write(folder.join(name), text).unwrap();
        files.push(folder.join(name));
    }
    code(&folder.join("code.png"));
    files.push(folder.join("code.png"));
    let program = std::env::var_os("MENSHEN_SCREEN_GATE").unwrap_or_else(|| env!("CARGO_BIN_EXE_fault-gate").into());
    let machine = folder.join("machine");
    let mut make = Command::new(here("vivid/make.sh"));
    make.env("MODULES", "bochs").arg(here("../target/vivid")).arg(&machine).arg(program).args(files);
    let made = make.output().unwrap();
    let said = String::from_utf8_lossy(&made.stderr);
    if made.status.code() == Some(3) {
        missing(&said);
        return None;
    }
    assert!(made.status.success(), "the machine can not be made: {said}");
    Some(machine)
}

/// A machine that runs; it is stopped when this is dropped.
struct Running {
    qemu: Child,
    console: PathBuf,
    monitor: UnixStream,
    picture: PathBuf,
    begun: Instant,
}

impl Running {
    fn start(machine: &Path) -> Running {
        let (console, socket) = (machine.join("console"), machine.join("monitor"));
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args(["-M", "pc,accel=tcg", "-cpu", "max", "-m", "512", "-smp", "2", "-display", "none", "-nic", "none"]);
        qemu.args(["-no-reboot", "-vga", "none", "-device", "bochs-display,xres=800,yres=480,edid=on"]);
        qemu.args(["-append", "console=ttyS0 quiet panic=-1 vt.global_cursor_default=0"]);
        qemu.arg("-kernel").arg(machine.join("vmlinuz")).arg("-initrd").arg(machine.join("initrd"));
        qemu.arg("-serial").arg(format!("file:{}", console.display()));
        qemu.arg("-monitor").arg(format!("unix:{},server,nowait", socket.display())).stdin(Stdio::null());
        let mut qemu = qemu.spawn().unwrap();
        let begun = Instant::now();
        let monitor = loop {
            match UnixStream::connect(&socket) {
                Ok(monitor) => break monitor,
                Err(error) => assert!(begun.elapsed() < PATIENCE && qemu.try_wait().unwrap().is_none(), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        Running { qemu, console, monitor, picture: machine.join("screen.ppm"), begun }
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.console).unwrap_or_default()).replace('\r', "")
    }

    /// What the display shows now, as `0x00RRGGBB`; `None` where it has another size, or is being written.
    fn shown(&mut self) -> Option<Vec<u32>> {
        let _ = std::fs::remove_file(&self.picture);
        writeln!(self.monitor, "screendump {}", self.picture.display()).unwrap();
        let whole = 3 * (SIZE.0 * SIZE.1) as usize;
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(5) {
            if let Ok(bytes) = std::fs::read(&self.picture)
                && bytes.starts_with(b"P6\n800 480\n255\n")
                && bytes.len() == 15 + whole
            {
                let pixel = |rgb: &[u8]| u32::from_be_bytes([0, rgb[0], rgb[1], rgb[2]]);
                return Some(bytes[15..].chunks(3).map(pixel).collect());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Waits until the display's ground has a colour, and gives what it shows.
    fn until(&mut self, ground: u32, after: &str) -> Vec<u32> {
        loop {
            let is_time = self.said().contains(after);
            if let Some(shown) = self.shown()
                && is_time
                && shown[(SIZE.0 * 240) as usize] == ground
            {
                return shown;
            }
            assert!(self.begun.elapsed() < PATIENCE, "the display never has {ground:06x}:\n{}", self.said());
            assert!(self.qemu.try_wait().unwrap().is_none(), "the machine has ended:\n{}", self.said());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// What the painter paints of the same verdict in this process: all but the bar, whose clock is the machine's.
fn painted() -> (Vec<u32>, usize) {
    let policy = Policy::default();
    let context = Context { trust: None, status: None, history: None, policy: &policy, home: IssuerId::NATIONAL };
    // Its clock has a battery, so the gate is sure of it; the rest of what the decision rests on is missing there too.
    let decision = decide(&Shown::of(MENU, None), Measured::Nothing, Time::trusted(1_600_000_000), context);
    let shown = display::Shown::of(&Screen::Verdict(decision), None);
    let info = PanelInfo { site_zh: "试验门".into(), site_en: "Trial gate".into(), lane: 1, utc_offset_min: 480 };
    let clock = menshen_core::clock::View::of(Time::trusted(1_600_000_000));
    // As tall as the machine's, whatever it says.
    let bar = Bar {
        clock: ClockView::of(&clock, None),
        trust: None,
        trust_fault: None,
        lists: ListsView::default(),
        import: None,
        last_stick: None,
        takes_new: false,
        backlog: 1,
        camera: PartView::FINE,
        thermometer: None,
        others: Vec::new(),
        manual: "never",
        journal: PartView::FINE,
        hub: None,
    };
    let lang = Lang::parse("en").unwrap();
    let state = State {
        shown: Some(&shown),
        bar: Some(&bar),
        info: &info,
        lang,
        lost: false,
        card_is_over: false,
        hides_person: false,
    };
    let mut canvas = Canvas::new(SIZE.0, SIZE.1);
    lay_out(&state, SIZE.0, SIZE.1).paint(&mut canvas, None);
    let is_bar = |row: &[u32]| row[0] == 0x10_18_1f;
    let bar_at = canvas.pixels().chunks(SIZE.0 as usize).position(is_bar).unwrap();
    (canvas.pixels().to_vec(), bar_at * SIZE.0 as usize)
}

#[test]
fn what_the_gate_paints_is_what_the_display_shows_and_at_the_end_it_is_dark() {
    let folder = tempfile::tempdir().unwrap();
    let Some(machine) = machine(folder.path()) else { return };
    let mut running = Running::start(&machine);
    let shown = running.until(RED, "HAND waits");
    let (painted, above_bar) = painted();
    if let Some(kept) = std::env::var_os("MENSHEN_SCREEN_KEEP") {
        std::fs::copy(&running.picture, kept).unwrap();
    }
    let differ =
        |(a, b): (&u32, &u32)| (0..3).any(|part| (a >> (8 * part) & 0xff).abs_diff(b >> (8 * part) & 0xff) > 8);
    let strays = shown[..above_bar].iter().zip(&painted[..above_bar]).filter(|pair| differ(*pair)).count();
    assert_eq!(strays, 0, "of {above_bar} pixels above the bar\n{}", running.said());
    assert!(shown[above_bar..].contains(&0x10_18_1f), "the bar is below");
    let dark = running.until(DARK, "GATE ended with 0");
    assert!(dark.iter().all(|pixel| *pixel == DARK), "a gate that has ended shows nothing");
    let said = running.said();
    for figure in said.lines().filter(|line| ["FB", "TIME", "MEMORY", "CPU"].iter().any(|name| line.starts_with(name)))
    {
        println!("{figure}");
    }
    assert!(said.contains("FB virtual_size 800,480"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
