//! What a technician who mounts a camera is told: how sharp the picture is, how it is lit, where the code lies.
//!
//! The panel's page and the desk tool show the same numbers by the same names, so that a technician may take either,
//! and scripts may rely on them (add, never rename). Invariant: nothing is measured here unless somebody asks for it,
//! frame by frame.

use crate::optics::{Focus, FocusMeter, Frame, Framing, Light, Seen, Sight};
use serde::Serialize;

/// From here up a picture is sharp.
pub(crate) const SHARP: u8 = 50;
/// From here up it is soft, and below it codes begin to be missed.
pub(crate) const SOFT: u8 = 30;

/// Measures frames one after another and remembers the sharpest.
#[derive(Debug, Default)]
pub struct AimMeter {
    focus: FocusMeter,
}

/// What one frame measures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AimView {
    /// How sharp its middle is, 0 to 100; `None` where there are no edges to tell by.
    pub focus: Option<u8>,
    /// The sharpest since the meter began.
    pub best: Option<u8>,
    /// The same in a word: `sharp`, `soft`, `blurred` or `none`.
    pub sharpness: &'static str,
    /// The mean of all pixels, 0 to 255.
    pub mean_luma: u8,
    /// The share of pixels that are white and nothing else, 0 to 1.
    pub white_share: f64,
    /// The share of pixels that are black and nothing else, 0 to 1.
    pub black_share: f64,
    /// The light in a word: `fine`, `too_dark` or `too_bright`.
    pub light: &'static str,
    /// The frame's width, in pixels.
    pub width: u32,
    /// Its height, in pixels.
    pub height: u32,
    /// The first code in it, if any is seen.
    pub code: Option<CodeView>,
}

/// Where a code is, in pixels of the frame; it may reach outside.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CodeView {
    /// Its left edge.
    pub left: i32,
    /// Its upper edge.
    pub top: i32,
    /// Its right edge.
    pub right: i32,
    /// Its lower edge.
    pub bottom: i32,
    /// Pixels a module.
    pub module_px: f64,
    /// Whether it was read.
    pub read: bool,
    /// What to do with the camera: `closer`, `farther`, `left`, `right`, `up`, `down` or `good`.
    pub advice: &'static str,
}

impl AimMeter {
    /// Measures a frame and what was seen in it.
    pub fn measure(&mut self, frame: &Frame, sight: &Sight) -> AimView {
        let Focus { focus, best, light } = self.focus.measure(frame);
        let whole = |value: f32| value.round() as u8;
        let focus = focus.map(whole);
        let Light { mean_luma, white_share, black_share } = light;
        AimView {
            focus,
            best: best.map(whole),
            sharpness: sharpness(focus),
            mean_luma: whole(mean_luma),
            white_share: decimals(white_share, 1000.0),
            black_share: decimals(black_share, 1000.0),
            light: light.word().name(),
            width: frame.width(),
            height: frame.height(),
            code: sight.seen.first().map(|seen| CodeView::of(seen, frame, sight)),
        }
    }

    /// Forgets the sharpest: somebody else begins.
    pub fn forget(&mut self) {
        self.focus.forget();
    }
}

impl CodeView {
    fn of(seen: &Seen, frame: &Frame, sight: &Sight) -> CodeView {
        let Seen { left, top, right, bottom, module_px } = *seen;
        let [left, top, right, bottom] = [left, top, right, bottom].map(|at| at.round() as i32);
        CodeView {
            left,
            top,
            right,
            bottom,
            module_px: decimals(module_px, 10.0),
            read: !sight.payloads.is_empty(),
            advice: Framing::of(seen, frame).name(),
        }
    }
}

fn sharpness(focus: Option<u8>) -> &'static str {
    match focus {
        None => "none",
        Some(SHARP..) => "sharp",
        Some(SOFT..) => "soft",
        Some(_) => "blurred",
    }
}

fn decimals(value: f32, of: f64) -> f64 {
    (f64::from(value) * of).round() / of
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;
    use crate::optics::Diagnosis;
    use serde_json::json;

    #[test]
    fn the_names_are_those_that_scripts_read() {
        let frame = Frame::new(64, 48, vec![100; 64 * 48]).unwrap();
        let seen = vec![Seen { left: 20.4, top: 10.0, right: 44.0, bottom: 38.0, module_px: 3.149 }];
        let sight = Sight { payloads: Vec::new(), diagnosis: Diagnosis::TooBlurred, seen, decode_us: 1 };
        let expected = json!({
            "focus": null, "best": null, "sharpness": "none",
            "mean_luma": 100, "white_share": 0.0, "black_share": 0.0, "light": "fine",
            "width": 64, "height": 48,
            "code": {
                "left": 20, "top": 10, "right": 44, "bottom": 38, "module_px": 3.1, "read": false, "advice": "good",
            },
        });
        assert_eq!(serde_json::to_value(AimMeter::default().measure(&frame, &sight)).unwrap(), expected);
    }

    #[test]
    fn every_number_has_its_word() {
        for (focus, word) in
            [(0, "blurred"), (29, "blurred"), (30, "soft"), (49, "soft"), (50, "sharp"), (100, "sharp")]
        {
            assert_eq!(sharpness(Some(focus)), word, "{focus}");
        }
    }
}
