//! A real browser before a real panel: what people at a gate see is tested where they see it.
//!
//! Headless Chromium is driven over the WebDriver protocol; a [`Page`](page::Page) is one page of it, with the words that a
//! test needs: open, click, type, wait for, evaluate, take a picture. What is served comes from a whole gate
//! ([`shift`]) or from a panel alone that is told what to show ([`stage`]). Nothing of the product is imitated.
//!
//! Separate from the other harnesses because it alone needs a browser, so it is built only with the feature `e2e`. Who waits
//! polls a condition with a deadline that tells a hang from an answer and nothing else.

pub mod axe;
pub mod chrome;
pub mod latency;
pub mod line;
pub mod page;
pub mod picture;
pub mod shift;
pub mod stage;

use std::io::Write;
use std::time::Duration;

/// Far more than a browser needs, for a machine under load.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Says loudly that something could not be tested here, and why.
///
/// # Panics
/// With `MENSHEN_E2E=must` in the environment, where nothing may be left out.
pub fn skipped(what: &str, why: &str) {
    assert!(std::env::var("MENSHEN_E2E").as_deref() != Ok("must"), "{why}");
    // Past the test harness, which shows what is printed only of a test that fails. A closed stderr hides it, no more.
    drop(std::io::stderr().write_all(format!("\n*** SKIPPED: {what} NOT tested: {} ***\n\n", why.trim()).as_bytes()));
}
