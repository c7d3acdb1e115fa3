//! Takes the pictures of the panel that the documentation shows, each by its name, with a real browser.
//!
//! ```text
//! cargo run -p menshen-tests --features e2e --bin panel-pictures -- docs/images
//! ```

use menshen_lane::panel::PinFile;
use menshen_tests::browser::chrome::Chrome;
use menshen_tests::browser::line::{Line, Network};
use menshen_tests::browser::page::{Device, Eyes, Page};
use menshen_tests::browser::picture::Picture;
use menshen_tests::browser::shift::Shift;
use menshen_tests::browser::stage::Stage;
use menshen_tests::screens;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const LANGS: [&str; 2] = ["zh", "en"];
/// A picture's name, its screen, whether the device is ailing, and what is touched before it is taken.
const KIOSK: [(&str, &str, bool, &[&str]); 16] = [
    ("idle", "idle", false, &[]),
    ("admit", "admit", false, &[]),
    ("refer", "refer", false, &[]),
    ("refuse", "refuse", false, &[]),
    ("hint", "tilt", false, &[]),
    ("ask", "ask", false, &[]),
    ("measure-again", "again", false, &[]),
    ("by-hand", "refer", false, &["#by-hand-button"]),
    ("by-hand-done", "by_hand", false, &[]),
    ("volunteer", "refer", false, &["#volunteer-button"]),
    ("device", "issuers", true, &["#bar"]),
    ("issuers", "issuers", false, &["#bar", "#issuers-button"]),
    ("stick", "stick_imported", false, &[]),
    ("stick-refused", "stick_refused", false, &[]),
    ("clock", "clock", false, &[]),
    ("alarm", "alarm", false, &[]),
];
/// What is taken on a phone and at a desk, too.
const ELSEWHERE: [&str; 6] = ["idle", "admit", "refer", "refuse", "by-hand", "device"];
/// A phone's picture has fewer pixels than the phone.
const PHONE_PIXELS: f64 = 1.5;
const WEAK_EYES_PX: u32 = 400;

fn main() -> ExitCode {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "docs/images".into()));
    let Some(chrome) = Chrome::start() else { return ExitCode::FAILURE };
    let (stage, page) = (Stage::new(), chrome.page());
    for device in Device::ALL {
        if device == Device::Phone {
            page.device_of(device, PHONE_PIXELS)
        } else {
            page.device(device)
        }
        let taken = KIOSK.iter().filter(|(name, ..)| device == Device::Kiosk || ELSEWHERE.contains(name));
        for (name, screen, ailing, touched) in taken {
            for lang in LANGS {
                stage.open(&page, screen, lang, *ailing);
                touched.iter().for_each(|selector| page.click(selector));
                take(&page, device, &folder, name, lang);
            }
        }
    }
    smaller_pages(&page, &folder);
    lost(&stage, &page, &folder);
    weak_eyes(&stage, &page, &folder);
    install(&page, &folder);
    ExitCode::SUCCESS
}

fn take(page: &Page, device: Device, folder: &Path, name: &str, lang: &str) {
    let suffix = match device {
        Device::Kiosk => "",
        Device::Phone => "-phone",
        Device::Desktop => "-desktop",
    };
    let path = folder.join(format!("panel-{name}-{lang}{suffix}.png"));
    page.picture().save(&path);
    println!("{}", path.display());
}

/// Settings, last decisions, the pad of the PIN, and a screen on the network before it was typed.
fn smaller_pages(page: &Page, folder: &Path) {
    let state = tempfile::tempdir().expect("a temporary folder can be made");
    let stage = Stage::with_pin(state.path());
    PinFile::of(state.path()).set("284916").expect("it is a PIN");
    screens::show(&stage.panel, "refer", false);
    for device in [Device::Kiosk, Device::Phone] {
        if device == Device::Phone {
            page.device_of(device, PHONE_PIXELS)
        } else {
            page.device(device)
        }
        for lang in LANGS {
            page.open(format!("http://gate.local:{}/?lang={lang}", stage.addr().port()));
            page.until_text("#unlock-button", |said| !said.is_empty());
            take(page, device, folder, "locked", lang);
            page.open(stage.url("/", lang));
            page.click("#by-hand-button");
            page.until_text(".pad", |said| !said.is_empty());
            take(page, device, folder, "pin", lang);
            PinFile::of(state.path()).clear().expect("the folder is ours");
            page.open(stage.url("/history", lang));
            page.until_text("#rows", |rows| !rows.is_empty());
            take(page, device, folder, "history", lang);
            page.open(stage.url("/settings", lang));
            page.until_text("#rows", |rows| !rows.is_empty());
            take(page, device, folder, "settings", lang);
            PinFile::of(state.path()).set("284916").expect("it is a PIN");
        }
    }
}

/// A page that has lost its gate.
fn lost(stage: &Stage, page: &Page, folder: &Path) {
    page.device(Device::Kiosk);
    for lang in LANGS {
        let line = Line::to(stage.addr());
        stage.open_at(line.addr(), page, "idle", lang, false);
        line.network(Network::Down);
        page.until_value("return document.body.dataset.screen", |screen| screen == "lost");
        take(page, Device::Kiosk, folder, "lost", lang);
    }
}

/// The three verdicts as eyes see them that tell fewer colours apart.
fn weak_eyes(stage: &Stage, page: &Page, folder: &Path) {
    for eyes in Eyes::WEAK {
        page.eyes(eyes);
        let verdicts = ["admit", "refer", "refuse"].map(|screen| {
            stage.open(page, screen, "en", false);
            page.picture().scaled_to(WEAK_EYES_PX)
        });
        let path = folder.join(format!("panel-eyes-{}.png", eyes.name()));
        Picture::beside(&verdicts).save(&path);
        println!("{}", path.display());
    }
    page.eyes(Eyes::Usual);
}

/// The page for whoever mounts the camera, at a whole gate before whose camera somebody holds a code; then its proof.
fn install(page: &Page, folder: &Path) {
    let mut shift = Shift::begin();
    page.open(shift.url("/install", LANGS[0]));
    shift.meet(&shift.person("green_paper"));
    for lang in LANGS {
        page.open(shift.url("/install", lang));
        page.until_value("return document.getElementById('picture').naturalWidth", |width| width.as_u64() > Some(0));
        page.until_text("#best", |best| !best.is_empty());
        take(page, Device::Kiosk, folder, "install", lang);
    }
    page.open(shift.url("/proof", LANGS[0]));
    page.click("#start");
    page.until_value("return document.getElementById('meter').hidden", |hidden| *hidden == false);
    for lang in LANGS {
        page.open(shift.url("/proof", lang));
        page.until_text("#card", |card| card.contains('✓'));
        take(page, Device::Kiosk, folder, "proof", lang);
    }
}
