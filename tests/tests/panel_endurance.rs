//! A day of a gate's panel in a real browser, as fast as the page takes it: nothing grows in the page or at its server.
//!
//! A test of its own, so that nothing else is in the process whose memory and files are counted. `MENSHEN_PANEL_EVENTS` says how
//! many screens there are, each with the state of the device; a day is 43200, one every two seconds. Needs what `panel_browser`
//! needs.

use menshen_tests::browser::chrome::Chrome;
use menshen_tests::browser::page::{Cost, Page};
use menshen_tests::browser::stage::Stage;
use menshen_tests::screens::{self, SCREENS};
use serde_json::json;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a change is tested with: a minute or less.
const FEW: u64 = 3200;
/// So many screens, then the page may catch up.
const BATCH: u64 = 200;
/// The panel's thread sends one before the next replaces it.
const APART: Duration = Duration::from_millis(1);
/// What may come and go without being a leak: a page's caches, a program's allocator.
const HEAP_MAY_GROW_BYTES: u64 = 96 << 10;
const HEAP_MAY_GROW_BYTES_A_SCREEN: u64 = 8;
const NODES_MAY_GROW: u64 = 400;
const LISTENERS_MAY_GROW: u64 = 8;
const PROGRAM_MAY_GROW_BYTES: u64 = 16 << 20;
const FILES_MAY_GROW: usize = 8;

/// Counts what comes to the page, before the page hears of it.
const COUNT: &str = "
  window.heard = 0;
  const Real = window.EventSource;
  window.EventSource = class extends Real {
    constructor(address) {
      super(address);
      this.addEventListener('screen', () => { window.heard += 1; });
    }
  };";
/// What a volunteer touches now and then.
const TOUCHES: &str = "for (const id of ['bar', 'issuers-button', 'lang', 'issuers-button', 'bar', 'lang']) {
    document.getElementById(id).click();
  }
  if (!document.getElementById('by-hand-button').hidden) {
    document.getElementById('by-hand-button').click();
    document.getElementById('by-hand-close').click();
  }";
const BACKLOG: &str = "return document.querySelector('#bar use[href=\"#icon-backlog\"]')?.closest('.part').lastChild.textContent.replace(/\\D/g, '') ?? null;";

/// Memory and open files of this process.
fn program() -> (u64, usize) {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let resident =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let files = fs::read_dir("/proc/self/fd").expect("Linux tells").count();
    (resident.expect("a number of KiB") << 10, files)
}

fn publish(stage: &Stage, screen: &str, number: u64) {
    let mut bar = screens::bar_of(screen, false);
    bar.backlog = number;
    stage.panel.publish_bar(bar);
    stage.panel.publish_screen(screens::view(screen));
}

/// Shows so many screens and waits until the page has them; gives how many it heard of.
fn batch(stage: &Stage, page: &Page, first: u64) -> u64 {
    let heard = |page: &Page| page.evaluate("return window.heard").as_u64().expect("it counts");
    let before = heard(page);
    for number in first..first + BATCH {
        publish(stage, SCREENS[number as usize % SCREENS.len()], number);
        sleep(APART);
    }
    let last = first + BATCH;
    publish(stage, "idle", last);
    page.until_value(BACKLOG, |shown| *shown == json!(last.to_string()));
    page.evaluate(TOUCHES);
    page.until_value("return document.body.dataset.screen", |screen| screen == "idle");
    heard(page) - before
}

#[test]
fn a_day_of_screens_leaves_nothing_behind_in_the_page_or_at_its_server() {
    let Some(chrome) = Chrome::start() else { return };
    let wanted = std::env::var("MENSHEN_PANEL_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW);
    let stage = Stage::new();
    let page = chrome.page();
    page.before_each(COUNT);
    stage.open(&page, "idle", "zh", false);
    // Both languages, every screen and the drawer have been there before it counts.
    let mut number = 0;
    for _ in 0..4 {
        batch(&stage, &page, number);
        number += BATCH;
    }
    let (cost, own) = (page.cost(), program());
    let (begun, mut heard) = (Instant::now(), 0);
    while heard < wanted {
        heard += batch(&stage, &page, number);
        number += BATCH;
    }
    let (cost_after, own_after) = (page.cost(), program());
    let kib = |cost: Cost| format!("{} KiB, {} nodes, {} listeners", cost.heap_bytes >> 10, cost.nodes, cost.listeners);
    println!("{heard} screens in {:.0} s", begun.elapsed().as_secs_f64());
    println!("page: {} → {}", kib(cost), kib(cost_after));
    println!("program: {} KiB, {} files → {} KiB, {} files", own.0 >> 10, own.1, own_after.0 >> 10, own_after.1);
    let may_grow = HEAP_MAY_GROW_BYTES + heard * HEAP_MAY_GROW_BYTES_A_SCREEN;
    assert!(cost_after.heap_bytes < cost.heap_bytes + may_grow, "the page's heap grows");
    assert!(cost_after.nodes < cost.nodes + NODES_MAY_GROW, "the page keeps nodes");
    assert!(cost_after.listeners < cost.listeners + LISTENERS_MAY_GROW, "the page keeps listeners");
    assert!(own_after.0 < own.0 + PROGRAM_MAY_GROW_BYTES, "the server's memory grows");
    assert!(own_after.1 < own.1 + FILES_MAY_GROW, "the server keeps files open");
    assert_eq!(page.complaints(), Vec::<String>::new(), "the page's console");
}
