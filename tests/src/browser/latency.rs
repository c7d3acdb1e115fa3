//! How long a verdict takes from the gate's word to the pixels of a page.
//!
//! A time begins in the moment before the panel is told and ends in the page, after the frame in which the verdict is painted:
//! `requestAnimationFrame` comes before that frame and a message posted from it after. Both ends are clocks of one machine.
//! What the screen's own electronics add is not in it.

use super::page::Page;
use super::stage::Stage;
use crate::screens;
use menshen_lane::panel::ScreenView;
use menshen_lane::view::DisplayView;
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Keeps for each name that the facts show when it was painted.
const WATCH: &str = "
  window.painted = {};
  const channel = new MessageChannel();
  let waiting = [];
  let last = null;
  channel.port1.onmessage = () => {
    const at = performance.timeOrigin + performance.now();
    for (const name of waiting) window.painted[name] = at;
    waiting = [];
  };
  new MutationObserver(() => {
    const name = document.querySelector('#facts .name dd')?.textContent.trim();
    if (!name || name === last) return;
    last = name;
    requestAnimationFrame(() => {
      waiting.push(name);
      channel.port2.postMessage(null);
    });
  }).observe(document.getElementById('facts'), { childList: true });
  return performance.timeOrigin + performance.now();";

/// Times in milliseconds, in order.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that this share of all does not exceed, from 0 to 1.
    pub fn at(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }
}

/// Shows so many verdicts one after another, each for a while, and takes the time of each. The page is open already.
///
/// # Panics
/// Where a verdict is not painted at all.
pub fn measure(stage: &Stage, page: &Page, count: usize, pause: Duration) -> Times {
    page.evaluate(WATCH);
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        let screen = verdict(number);
        let begun = SystemTime::now();
        stage.panel.publish_screen(screen);
        // Not a whole number of frames, so that verdicts come at every moment of one.
        std::thread::sleep(pause + Duration::from_micros(number as u64 % 17 * 1_013));
        let painted = page.until_value(&format!("return window.painted['{number}'] ?? null;"), Value::is_number);
        let painted_ms = painted.as_f64().expect("it is a number");
        let begun = begun.duration_since(UNIX_EPOCH).expect("the clock is past 1970");
        times.push(painted_ms - begun.as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Times(times)
}

/// A verdict that no other is like: its number stands where a name does.
fn verdict(number: usize) -> ScreenView {
    let (verdict, colour, reasons): (_, _, &[_]) = match number % 3 {
        0 => ("admit", "green", &[]),
        1 => ("refer", "yellow", &[(50, "yellow")]),
        _ => ("refuse", "red", &[(51, "red"), (31, "expired"), (60, "temp_high")]),
    };
    let mut decision = screens::decision(verdict, colour, reasons);
    decision.evidence.display = Some(DisplayView { name: number.to_string(), id_tail: String::new() });
    ScreenView::Verdict { decision: Box::new(decision) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_taken() {
        let times = Times((1..=100).map(f64::from).collect());
        assert_eq!([0.5, 0.95, 0.99, 1.0].map(|share| times.at(share)), [50.0, 95.0, 99.0, 100.0]);
        assert_eq!(Times(vec![7.0]).at(0.5), 7.0);
    }
}
