//! Tells the program when it was built: no moment that it ever lives through is before that.
//!
//! `SOURCE_DATE_EPOCH` (reproducible-builds.org) takes the place of the clock where it is set.

use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo::rerun-if-changed=src");
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse::<u64>().ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    println!("cargo::rustc-env=MENSHEN_BUILD_UNIX_S={}", given.unwrap_or_else(now));
}
