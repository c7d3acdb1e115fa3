//! A gate before a camera of a real kernel: frames come, a pulled cable is told, and the camera's return is noticed.
//!
//! The kernel of this machine is left alone: a virtual one with the kernel's own virtual camera (vivid) is started in
//! QEMU with nothing in it but the program. Needs Debian or Ubuntu on x86-64 with qemu-system-x86, busybox-static, cpio
//! and v4l-utils, and no privileges; it takes less than a minute, without help of the processor for virtual machines,
//! because such help is not to be relied on inside of another one. Where something is missing the test is skipped, and
//! says so loudly; with `MENSHEN_E2E=must` in the environment it fails instead.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than the machine runs on a slow host.
const PATIENCE: Duration = Duration::from_secs(200);

const SITE: &str = "name_zh = \"试验门\"\nname_en = \"Trial gate\"\nlane = 1\nhome = 330100\ntrust = \"trust\"\n";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A board whose camera is the virtual one, found by its name, in this format.
fn board(format: &str) -> String {
    format!(
        "inherits = [\"sim.toml\"]\n[camera]\nkind = \"v4l2\"\ndevice = \"vivid\"\nformat = \"{format}\"\n\
         width = 640\nheight = 480\nfps = 15\n[thermometer]\nkind = \"none\"\n[panel]\nlisten = \"off\"\n"
    )
}

/// What the machine says on its console; `None` where it can not be started here.
fn console(folder: &Path) -> Option<String> {
    let missing = |what: &str| {
        assert!(std::env::var("MENSHEN_E2E").as_deref() != Ok("must"), "{what}");
        // Past the test harness, which shows what is printed only of a test that fails.
        let told = format!("\n*** SKIPPED: the camera of a real kernel was NOT tested: {} ***\n\n", what.trim());
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    };
    if Command::new("qemu-system-x86_64").arg("--version").stdout(Stdio::null()).status().is_err() {
        missing("no qemu-system-x86_64: apt-get install qemu-system-x86");
        return None;
    }
    let mut files = vec![here("vivid/init"), here("../boards/base.toml"), here("../boards/sim.toml")];
    for (name, text) in ["auto", "yuyv", "nv12"].map(|format| (format!("{format}.toml"), board(format))) {
        std::fs::write(folder.join(&name), text).unwrap();
        files.push(folder.join(name));
    }
    std::fs::write(folder.join("site.toml"), SITE).unwrap();
    files.push(folder.join("site.toml"));
    let mut make = Command::new(here("vivid/make.sh"));
    make.arg(here("../target/vivid")).arg(folder.join("machine")).arg(env!("CARGO_BIN_EXE_camera-probe")).args(files);
    let made = make.output().unwrap();
    let said = String::from_utf8_lossy(&made.stderr);
    if made.status.code() == Some(3) {
        missing(&said);
        return None;
    }
    assert!(made.status.success(), "the machine can not be made: {said}");
    Some(run(&folder.join("machine")))
}

fn run(machine: &Path) -> String {
    let console = machine.join("console");
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args([
        "-M",
        "pc,accel=tcg",
        "-cpu",
        "max",
        "-m",
        "768",
        "-smp",
        "2",
        "-display",
        "none",
        "-nic",
        "none",
        "-no-reboot",
    ]);
    qemu.args(["-monitor", "none", "-append", "console=ttyS0 quiet panic=-1"]);
    qemu.arg("-kernel").arg(machine.join("vmlinuz")).arg("-initrd").arg(machine.join("initrd"));
    qemu.arg("-serial").arg(format!("file:{}", console.display())).stdin(Stdio::null());
    let mut running = qemu.spawn().unwrap();
    let begun = Instant::now();
    while running.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            running.kill().unwrap();
            running.wait().unwrap();
            panic!("the machine does not end:\n{}", read(&console));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    read(&console)
}

fn read(console: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(console).unwrap_or_default()).replace('\r', "")
}

#[test]
fn frames_of_a_kernel_camera_come_its_loss_is_told_and_its_return_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let Some(console) = console(folder.path()) else { return };
    println!("{console}");
    let frames: Vec<&str> = console.lines().filter(|line| line.starts_with("FRAMES")).collect();
    assert_eq!(frames.len(), 3, "one line for each format");
    for line in frames {
        assert!(line.starts_with("FRAMES 20 of 640x480, luma "), "{line}");
    }
    for pixels in ["Grey", "Yuyv", "Nv12"] {
        assert!(console.contains(&format!("640×480 {pixels}")), "{pixels} was not negotiated");
    }
    let mut camera = console.lines().filter(|line| line.starts_with("CAMERA") || line.starts_with("HAND"));
    assert!(camera.next().unwrap().ends_with(": works"), "it works before it is touched");
    for _ in 0..2 {
        assert_eq!(camera.next(), Some("HAND pulls the camera out"));
        let told: Vec<&str> = camera.by_ref().take_while(|line| *line != "HAND plugs the camera in").collect();
        assert!(told.iter().any(|line| line.contains("plug it in")), "the remedy is told: {told:?}");
        // Its name may be there a moment before its file is.
        let mut told = camera.by_ref().take_while(|line| line.starts_with("CAMERA"));
        assert!(told.any(|line| line.ends_with(": works")), "it works again by itself");
    }
    assert_eq!(camera.next(), Some("HAND holds every picture back"));
    let told: Vec<&str> = camera.by_ref().take_while(|line| *line != "HAND lets pictures through").collect();
    assert!(told.first().is_some_and(|line| line.contains("gives no pictures")), "the silence is told: {told:?}");
    assert!(told.iter().any(|line| line.contains("started anew")), "and ended: {told:?}");
    assert!(camera.any(|line| line.ends_with(": works")), "it works again by itself");
    assert_eq!(camera.next(), Some("HAND is done"));
    assert!(console.contains("GATE ended with 0"), "the gate ended in good order");
}
