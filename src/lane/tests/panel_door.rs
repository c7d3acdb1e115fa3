//! What visitors can take from a gate through its panel. A test of its own process, because it counts open files.

use menshen_lane::panel::{MAX_WATCHERS, Panel, PanelInfo};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const IDLE: usize = 250;

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn visitors_who_say_nothing_take_neither_the_gates_files_nor_the_panel() {
    let info = PanelInfo { site_zh: "东门".into(), site_en: "East".into(), lane: 1, utc_offset_min: 480 };
    let panel = Panel::start(([127, 0, 0, 1], 0).into(), info).expect("a free port");
    let before = open_files();
    let idle: Vec<_> = (0..IDLE).map(|_| TcpStream::connect(panel.addr()).expect("the system queues it")).collect();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        // One of each pair is this test's own.
        let held = open_files() - before - IDLE;
        assert!(held <= 2 * MAX_WATCHERS + 2, "the panel holds {held} files");
        std::thread::sleep(Duration::from_millis(50));
    }
    // They are shown out, and the panel answers although they never leave by themselves.
    let mut answer = ureq::get(format!("http://{}/state", panel.addr())).call().expect("the panel answers");
    assert!(answer.body_mut().read_to_string().is_ok_and(|text| text.contains("idle")));
    drop(idle);
}
