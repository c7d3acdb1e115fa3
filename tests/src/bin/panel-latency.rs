//! Measures how long a verdict takes from the gate's word to the pixels of a page in a real browser.
//!
//! ```text
//! cargo run --release -p menshen-tests --features e2e --bin panel-latency -- 500
//! ```
//!
//! Prints one JSON object: times in milliseconds, from the panel being told to the frame that shows it painted.

use menshen_tests::browser::chrome::Chrome;
use menshen_tests::browser::latency;
use menshen_tests::browser::page::Device;
use menshen_tests::browser::stage::Stage;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

/// What is measured when nothing is said.
const VERDICTS: usize = 300;
/// The first few pay for what a page loads once.
const WARM_UP: usize = 10;
/// A small board's processor, as the browser can play it.
const SLOWED: u32 = 4;
const PAUSE: Duration = Duration::from_millis(150);

fn main() -> ExitCode {
    let count = std::env::args().nth(1).map_or(Ok(VERDICTS), |text| text.parse());
    let Ok(count) = count else {
        eprintln!("panel-latency: how many verdicts? give a number, such as {VERDICTS}");
        return ExitCode::from(2);
    };
    let Some(chrome) = Chrome::start() else { return ExitCode::FAILURE };
    let (stage, page) = (Stage::new(), chrome.page());
    for (device, slowed) in [(Device::Kiosk, 1), (Device::Phone, 1), (Device::Desktop, 1), (Device::Kiosk, SLOWED)] {
        page.device(device);
        page.slowed(slowed);
        stage.open(&page, "idle", "zh", false);
        latency::measure(&stage, &page, WARM_UP, PAUSE);
        let times = latency::measure(&stage, &page, count, PAUSE);
        let [p50, p95, p99, most] = [0.5, 0.95, 0.99, 1.0].map(|share| (times.at(share) * 10.0).round() / 10.0);
        let line = json!({
            "bench": "panel", "device": device.name(), "slowed": slowed, "verdicts": times.count(),
            "pixels_ms_p50": p50, "pixels_ms_p95": p95, "pixels_ms_p99": p99, "pixels_ms_max": most,
        });
        println!("{line}");
    }
    ExitCode::SUCCESS
}
