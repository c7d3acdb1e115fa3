//! One page of a browser: the words in which tests and pictures speak of it.
//!
//! The WebDriver client is asynchronous and a test is not, so a page has a runtime of its own and every word waits.
//! Invariant: a page that was opened is closed, also when a test fails, and its profile goes with it.

use super::PATIENCE;
use super::picture::Picture;
use crate::faults::until;
use serde_json::{Value, json};
use std::fmt::Display;
use std::future::Future;
use std::path::Path;
use tempfile::TempDir;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::error::WebDriverResult;
use thirtyfour::{By, CapabilitiesHelper, DesiredCapabilities, PageLoadStrategy, WebDriver, WindowHandle};
use tokio::runtime::{Builder, Runtime};

/// What a page is looked at with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The screen that is wired to a gate: 800 × 480.
    Kiosk,
    /// A volunteer's phone.
    Phone,
    /// A desk.
    Desktop,
}

impl Device {
    /// All of them.
    pub const ALL: [Device; 3] = [Device::Kiosk, Device::Phone, Device::Desktop];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Device::Kiosk => "kiosk",
            Device::Phone => "phone",
            Device::Desktop => "desktop",
        }
    }

    /// Width and height in CSS pixels, and how many of the screen's pixels one of them is wide.
    pub const fn size(self) -> (u32, u32, u32) {
        match self {
            Device::Kiosk => (800, 480, 1),
            Device::Phone => (390, 844, 3),
            Device::Desktop => (1440, 900, 1),
        }
    }
}

/// How an eye sees that tells colours apart less well, by the browser's own simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eyes {
    /// All colours.
    Usual,
    /// No red.
    Protanopia,
    /// No green.
    Deuteranopia,
    /// No colours.
    Monochrome,
}

impl Eyes {
    /// All of them but the usual.
    pub const WEAK: [Eyes; 3] = [Eyes::Protanopia, Eyes::Deuteranopia, Eyes::Monochrome];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Eyes::Usual => "usual",
            Eyes::Protanopia => "protanopia",
            Eyes::Deuteranopia => "deuteranopia",
            Eyes::Monochrome => "monochrome",
        }
    }

    const fn in_protocol(self) -> &'static str {
        match self {
            Eyes::Usual => "none",
            Eyes::Protanopia => "protanopia",
            Eyes::Deuteranopia => "deuteranopia",
            Eyes::Monochrome => "achromatopsia",
        }
    }
}

/// What a page costs its browser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Bytes of its scripts' heap, after what is not used was collected.
    pub heap_bytes: u64,
    /// Nodes of its document, those outside of it included.
    pub nodes: u64,
    /// Listeners for events.
    pub listeners: u64,
}

/// A browser with its page, or pages.
pub struct Page {
    // Before the profile: the browser ends first.
    driver: Option<WebDriver>,
    runtime: Runtime,
    _profile: TempDir,
}

impl Page {
    pub(super) fn open_browser(driver: &str, browser: &Path) -> Page {
        let runtime = Builder::new_current_thread().enable_all().build().expect("the system has a thread");
        let profile = tempfile::tempdir().expect("a temporary folder can be made");
        let mut wanted = DesiredCapabilities::chrome();
        let wish = |result: WebDriverResult<()>| result.expect("a capability is JSON");
        wish(wanted.set_binary(&browser.display().to_string()));
        // Whoever runs this may be root in a container, where the browser has no sandbox and /dev/shm is small.
        for arg in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"] {
            wish(wanted.add_arg(arg));
        }
        // No page may sleep because another window lies before it: every panel is somebody's screen.
        for arg in ["--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"] {
            wish(wanted.add_arg(arg));
        }
        // A name of the local network, as a volunteer's phone may call the gate.
        wish(wanted.add_arg("--host-resolver-rules=MAP gate.local 127.0.0.1"));
        wish(wanted.add_arg(&format!("--user-data-dir={}", profile.path().display())));
        wish(wanted.set("goog:loggingPrefs", json!({ "browser": "ALL" })));
        wish(wanted.set_page_load_strategy(PageLoadStrategy::Normal));
        let driver = runtime.block_on(async { WebDriver::builder(driver, wanted).request_timeout(PATIENCE).await });
        let page = Page { driver: Some(driver.expect("the browser starts")), runtime, _profile: profile };
        page.cdp("Network.enable", json!({}));
        page.cdp("Performance.enable", json!({}));
        page.device(Device::Kiosk);
        page
    }

    /// Opens an address.
    pub fn open(&self, url: impl Display) {
        self.wait(self.driver().goto(url.to_string())).expect("the page opens");
    }

    /// Loads the page once more, as whoever pulls it down does.
    pub fn reload(&self) {
        self.wait(self.driver().refresh()).expect("the page loads again");
    }

    /// Touches the element that this selector finds, once it can be touched.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        until(&format!("{selector}, to be touched"), PATIENCE, || {
            let found = self.wait(self.driver().find(By::Css(selector))).ok()?;
            self.wait(found.click()).ok()
        });
    }

    /// Touches the button that says this.
    #[track_caller]
    pub fn click_text(&self, selector: &str, text: &str) {
        let script = "for (const found of document.querySelectorAll(arguments[0])) {
            if (found.textContent === arguments[1] && found.checkVisibility() && !found.disabled) {
              found.scrollIntoView({ block: 'nearest' });
              found.click();
              return true;
            }
          }
          return false;";
        until(&format!("{selector} that says {text:?}"), PATIENCE, || {
            self.evaluate_with(script, &[json!(selector), json!(text)]).as_bool()?.then_some(())
        });
    }

    /// Types into the field that this selector finds.
    #[track_caller]
    pub fn type_into(&self, selector: &str, text: &str) {
        until(&format!("{selector}, to be typed into"), PATIENCE, || {
            let found = self.wait(self.driver().find(By::Css(selector))).ok()?;
            self.wait(found.send_keys(text)).ok()
        });
    }

    /// What is written in an element; `None` where it is not there or not to be seen.
    pub fn text(&self, selector: &str) -> Option<String> {
        let script = "const found = document.querySelector(arguments[0]);
          return found && found.checkVisibility() ? found.textContent : null;";
        self.evaluate_with(script, &[json!(selector)]).as_str().map(str::to_owned)
    }

    /// Waits until an element is there and says what is wanted; gives what it says.
    #[track_caller]
    pub fn until_text(&self, selector: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut last = None;
        let found = wait_for(|| {
            last = self.text(selector);
            last.clone().filter(|text| wanted(text))
        });
        found.unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain; {selector} says {last:?}"))
    }

    /// Waits until a script's value is as wanted; gives it.
    #[track_caller]
    pub fn until_value(&self, script: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = wait_for(|| {
            last = self.evaluate(script);
            wanted(&last).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain; {script} gives {last}"))
    }

    /// What a script returns.
    pub fn evaluate(&self, script: &str) -> Value {
        self.evaluate_with(script, &[])
    }

    /// What a script returns that is given values.
    pub fn evaluate_with(&self, script: &str, values: &[Value]) -> Value {
        let returned = self.wait(self.driver().execute(script, values));
        returned.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// What a script gives to its last argument, a function.
    pub fn evaluate_later(&self, script: &str) -> Value {
        let returned = self.wait(self.driver().execute_async(script, []));
        returned.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// A picture of what is to be seen, in the screen's own pixels.
    pub fn picture(&self) -> Picture {
        self.settle();
        Picture::read(&self.wait(self.driver().screenshot_as_png()).expect("the browser takes pictures"))
    }

    /// Waits until what moves has come to rest and the newest state is painted.
    fn settle(&self) {
        self.evaluate_later(
            "const done = arguments[arguments.length - 1];
             const endless = (motion) => motion.effect?.getComputedTiming().iterations === Infinity;
             for (const motion of document.getAnimations()) endless(motion) ? motion.cancel() : motion.finish();
             document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));",
        );
    }

    /// Looks at the page with another device.
    pub fn device(&self, device: Device) {
        let (.., pixels) = device.size();
        self.device_of(device, f64::from(pixels));
    }

    /// The same, with a screen of so many pixels to each of the page's.
    pub fn device_of(&self, device: Device, pixels: f64) {
        let (width, height, _) = device.size();
        let mobile = device == Device::Phone;
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": pixels, "mobile": mobile }),
        );
        self.cdp("Emulation.setTouchEmulationEnabled", json!({ "enabled": mobile }));
    }

    /// Looks at the page with other eyes.
    pub fn eyes(&self, eyes: Eyes) {
        self.cdp("Emulation.setEmulatedVisionDeficiency", json!({ "type": eyes.in_protocol() }));
    }

    /// Gives the page a processor so many times slower, by the browser's own simulation.
    pub fn slowed(&self, times: u32) {
        self.cdp("Emulation.setCPUThrottlingRate", json!({ "rate": times }));
    }

    /// Lets the browser open no connection, or every one again; what is open stays so ([`super::line`] closes it).
    pub fn offline(&self, offline: bool) {
        self.cdp(
            "Network.emulateNetworkConditions",
            json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 }),
        );
    }

    /// Runs a script in every page that is opened from now on, before its own.
    pub fn before_each(&self, script: &str) {
        self.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// What the page costs now.
    pub fn cost(&self) -> Cost {
        for _ in 0..2 {
            self.cdp("HeapProfiler.collectGarbage", json!({}));
        }
        let metrics = self.cdp("Performance.getMetrics", json!({}));
        let metric = |name: &str| {
            let found = metrics["metrics"].as_array().into_iter().flatten().find(|metric| metric["name"] == name);
            // Counts and bytes come as floating numbers.
            found.and_then(|metric| metric["value"].as_f64()).expect("the browser knows it") as u64
        };
        Cost { heap_bytes: metric("JSHeapUsedSize"), nodes: metric("Nodes"), listeners: metric("JSEventListeners") }
    }

    /// What the page's console has against it since it was asked last.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.wait(self.driver().browser_log()).expect("the browser keeps a log");
        log.into_iter().filter(|entry| entry.level == "SEVERE").map(|entry| entry.message).collect()
    }

    /// Opens one more window in this browser and steers that from now on.
    pub fn new_window(&self) -> WindowHandle {
        let handle = self.wait(self.driver().new_window()).expect("the browser has windows");
        self.window(&handle);
        handle
    }

    /// The window that is steered.
    pub fn this_window(&self) -> WindowHandle {
        self.wait(self.driver().window()).expect("there is one")
    }

    /// Steers a window of this browser from now on.
    pub fn window(&self, window: &WindowHandle) {
        self.wait(self.driver().switch_to_window(window.clone())).expect("it is open");
    }

    /// A command of Chromium's own protocol.
    pub fn cdp(&self, command: &str, values: Value) -> Value {
        let answer = self.wait(self.driver().cdp().send_raw(command, values));
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("it is taken when the page is dropped")
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            // A browser that is gone already is what is wanted.
            drop(self.runtime.block_on(driver.quit()));
        }
    }
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    None
}
