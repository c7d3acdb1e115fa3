//! `menshen focus`: a live number to turn a lens by, from the gate's own camera.
//!
//! For whoever mounts a gate and has a terminal but no screen at the gate. It opens the camera of the board file through
//! the gate's own adapter, so what it says of a camera that does not work is what the gate would say. A device serves
//! one program at a time: stop the gate first, or use the panel's page, which measures while the gate runs.

use super::{say, say_json};
use crate::outcome::{Failure, Outcome, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use menshen_gate::board::Board;
use menshen_gate::camera;
use menshen_lane::aim::{AimMeter, AimView};
use menshen_lane::optics::{Frame, Reader};
use menshen_lane::ports::{Camera, PortError};
use menshen_lane::run::LOOK_BUDGET;
use menshen_lane::words::{Lang, Table, Words, fill};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const FRAME_TIMEOUT: Duration = Duration::from_millis(200);
/// A camera that gives nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a line is printed where nobody watches it live.
const LINE_EVERY: Duration = Duration::from_secs(1);
const BAR_WIDTH: usize = 20;

/// The words of the command.
#[derive(Args, Debug)]
pub(super) struct Focus {
    /// The gate's board file, which names its camera.
    #[arg(long, value_name = "FILE")]
    board: PathBuf,
    /// The gate's state folder, where a camera that is a pipe or a folder lies.
    #[arg(long, value_name = "DIR", default_value = "state")]
    state: PathBuf,
    /// End after so many frames; without it, Ctrl-C ends it, or the end of a recording.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    frames: Option<u64>,
    /// One JSON object a frame.
    #[arg(long)]
    json: bool,
}

impl Focus {
    pub(super) fn run(self) -> Result {
        let board = Board::load(&self.board)?;
        let mut camera = camera::opener(&board.camera, &self.state)()?;
        let (mut reader, mut meter) = (Reader::with_budget(LOOK_BUDGET), AimMeter::default());
        let mut teller = Teller::new(self.json);
        let mut seen = 0;
        while self.frames.is_none_or(|wanted| seen < wanted) {
            let frame = match next_frame(camera.as_mut()) {
                Ok(frame) => frame,
                // A recording has its end.
                Err(Failed::Port(PortError::Ended(_))) if seen > 0 => break,
                Err(failed) => return Err(failed.into()),
            };
            let sight = reader.read(&frame);
            let view = meter.measure(&frame, &sight);
            camera.recycle(frame);
            seen += 1;
            teller.tell(view)?;
        }
        teller.end()?;
        Ok(Outcome::Done)
    }
}

enum Failed {
    Port(PortError),
    Silent,
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Failure {
        match failed {
            Failed::Port(error) => error.into(),
            Failed::Silent => Failure::new(format!(
                "the camera gave no picture for {} seconds: check its cable; a camera that is a folder needs a picture in it",
                PATIENCE.as_secs()
            )),
        }
    }
}

fn next_frame(camera: &mut dyn Camera) -> std::result::Result<Frame, Failed> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(frame) = camera.frame(FRAME_TIMEOUT).map_err(Failed::Port)? {
            return Ok(frame);
        }
    }
    Err(Failed::Silent)
}

/// Tells what was measured: a line drawn in place on a terminal, a line a second in a pipe, or JSON.
struct Teller {
    json: bool,
    /// The line on a terminal.
    live: Option<ProgressBar>,
    told_at: Option<Instant>,
    untold: Option<AimView>,
}

impl Teller {
    fn new(json: bool) -> Teller {
        let live = (!json && std::io::stdout().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
            match ProgressStyle::with_template("{wide_msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Teller { json, live, told_at: None, untold: None }
    }

    fn tell(&mut self, view: AimView) -> Result<()> {
        if self.json {
            return say_json(&view);
        }
        if let Some(live) = &self.live {
            live.set_message(line(&view));
            live.tick();
            return Ok(());
        }
        if self.told_at.is_some_and(|told_at| told_at.elapsed() < LINE_EVERY) {
            self.untold = Some(view);
            return Ok(());
        }
        (self.told_at, self.untold) = (Some(Instant::now()), None);
        say(line(&view))
    }

    /// The last frame is always told.
    fn end(self) -> Result<()> {
        if let Some(live) = self.live {
            live.abandon();
        }
        self.untold.map_or(Ok(()), |view| say(line(&view)))
    }
}

/// One line; what matters most comes first, because a narrow terminal cuts the end off.
fn line(view: &AimView) -> String {
    let number = view.focus.map_or("  –".into(), |focus| format!("{focus:>3}"));
    let advice = view.code.as_ref().map_or("none", |code| code.advice);
    let best = view.best.map(|best| {
        let best = best.to_string();
        in_both(|words| fill(words.get("best"), &[("n", &best)]))
    });
    let framing = in_both(|words| words.get(&format!("framing_{advice}")).to_owned());
    let sharpness = in_both(|words| words.get(&format!("focus_{}", view.sharpness)).to_owned());
    let light = in_both(|words| format!("{} {}", words.get("light"), words.get(&format!("light_{}", view.light))));
    let parts = [best, Some(format!("{} {framing}", arrow(advice))), Some(sharpness), Some(light)];
    format!("{number} [{}] {}", bar(view), parts.into_iter().flatten().collect::<Vec<_>>().join(" · "))
}

fn in_both(text: impl Fn(&Table) -> String) -> String {
    Lang::USUAL.map(|lang| text(&Words::of(lang).install)).join(" / ")
}

/// The signs of the panel's page, seen from behind the camera.
fn arrow(advice: &str) -> char {
    match advice {
        "left" => '←',
        "right" => '→',
        "up" => '↑',
        "down" => '↓',
        "closer" => '+',
        "farther" => '−',
        "good" => '✓',
        _ => '?',
    }
}

/// The number as a bar, with the best as a mark on it.
fn bar(view: &AimView) -> String {
    let place = |number: u8| usize::from(number) * BAR_WIDTH / 100;
    let filled = place(view.focus.unwrap_or(0));
    let best = view.best.map(|best| place(best).min(BAR_WIDTH - 1));
    let cell = |at| match (at < filled, best == Some(at)) {
        (_, true) => '|',
        (true, false) => '#',
        (false, false) => '.',
    };
    (0..BAR_WIDTH).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_lane::optics::Framing;

    fn view(focus: Option<u8>, best: Option<u8>) -> AimView {
        AimView {
            focus,
            best,
            sharpness: if focus.is_some() { "sharp" } else { "none" },
            mean_luma: 120,
            white_share: 0.0,
            black_share: 0.0,
            light: "fine",
            width: 1280,
            height: 720,
            code: None,
        }
    }

    #[test]
    fn a_line_has_the_number_the_bar_the_best_and_what_to_do() {
        assert_eq!(
            line(&view(Some(55), Some(80))),
            " 55 [###########.....|...] 最高80 / best 80 · ? 没看到码 / no code seen · 清楚 / sharp · 光线 合适 / Light fine"
        );
        assert!(
            line(&view(None, None))
                .starts_with("  – [....................] ? 没看到码 / no code seen · 中间没有可看的边缘 / ")
        );
    }

    #[test]
    fn every_advice_has_a_sign() {
        assert!(Framing::ALL.into_iter().all(|framing| arrow(framing.name()) != '?'));
    }

    #[test]
    fn the_bar_is_as_wide_at_both_ends() {
        assert_eq!(bar(&view(Some(100), Some(100))), "###################|");
        assert_eq!(bar(&view(Some(0), Some(0))), "|...................");
    }
}
