//! The browser's driver, in a process of its own on a free port, and where it can be had.

use super::page::Page;
use super::skipped;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What Debian calls them; elsewhere the driver has the same name and the browser another.
const DRIVER: &str = "chromedriver";
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// How often it is begun.
const TRIES: usize = 5;

/// A driver that runs; it ends when dropped. Pages must be gone before it.
#[derive(Debug)]
pub struct Chrome {
    driver: Child,
    url: String,
    browser: PathBuf,
}

impl Chrome {
    /// Starts the driver; `None`, loudly, where there is none or no browser.
    ///
    /// # Panics
    /// Where the driver is here and does not start.
    pub fn start() -> Option<Chrome> {
        let browser = BROWSERS.iter().find_map(|name| found(name));
        let (Some(browser), Some(driver)) = (browser, found(DRIVER)) else {
            skipped(
                "the panel in a browser was",
                "no chromium and chromedriver: apt-get install chromium chromium-driver",
            );
            return None;
        };
        // The port that it takes for one family of addresses may just be gone for the other; then it ends.
        let (driver, port) = (0..TRIES).find_map(|_| begun(&driver)).expect("the driver says its port");
        Some(Chrome { driver, url: format!("http://127.0.0.1:{port}"), browser })
    }

    /// A page in a browser of its own, with a profile of its own.
    pub fn page(&self) -> Page {
        Page::open_browser(&self.url, &self.browser)
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

/// The driver, and where it listens; `None` where it ended before it said so.
fn begun(driver: &Path) -> Option<(Child, u16)> {
    let mut command = Command::new(driver);
    command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut driver = command.spawn().expect("it is a program");
    let mut said = BufReader::new(driver.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let port = said.find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse::<u16>().ok()
    });
    // It says little more; what it does must not stop for want of a reader.
    std::thread::spawn(move || said.for_each(drop));
    if port.is_none() {
        drop((driver.kill(), driver.wait()));
    }
    Some((driver, port?))
}

fn found(program: &str) -> Option<PathBuf> {
    let places = std::env::var_os("PATH")?;
    std::env::split_paths(&places).map(|place| place.join(program)).find(|path| path.is_file())
}
