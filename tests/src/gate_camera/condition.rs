//! What is wrong with a frame, and how badly, in numbers of light and geometry.

use super::carrier::{Bend, Carrier};
use super::pose::Pose;
use menshen::scene::random::Random;

/// What makes a code hard to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the words for them")]
pub enum Condition {
    Clean,
    Small,
    Tilt,
    Rotate,
    Defocus,
    Motion,
    Dark,
    Overexposed,
    Glare,
    Backlight,
    Shadow,
    Moire,
    Banding,
    Curved,
    Creased,
    Lowcontrast,
    Inverted,
    Finger,
    Jpeg,
    Combined,
}

impl Condition {
    /// All of them, the combined one last.
    pub const ALL: [Self; 20] = [
        Self::Clean,
        Self::Small,
        Self::Tilt,
        Self::Rotate,
        Self::Defocus,
        Self::Motion,
        Self::Dark,
        Self::Overexposed,
        Self::Glare,
        Self::Backlight,
        Self::Shadow,
        Self::Moire,
        Self::Banding,
        Self::Curved,
        Self::Creased,
        Self::Lowcontrast,
        Self::Inverted,
        Self::Finger,
        Self::Jpeg,
        Self::Combined,
    ];

    /// Its name, as folders have it.
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// Everything about one frame that is not noise.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) carrier: Carrier,
    pub(super) pose: Pose,
    /// Pixels a module where the code is nearest to the middle of its pose.
    pub(super) module_px: f32,
    /// The light of the ground behind the carrier, beside that of white paper at 1.
    pub(super) ground: f32,
    /// What is left of the carrier's light.
    pub(super) carrier_light: f32,
    /// A shadow that leaves so much of the light, and how many pixels wide its edge is.
    pub(super) shadow: Option<(f32, f32)>,
    /// A reflection: centre in half codes from the middle, radius in half codes, light.
    pub(super) glare: Option<(f32, f32, f32, f32)>,
    /// A finger: which corner, and how far towards the middle (1 is there).
    pub(super) finger: Option<(usize, f32)>,
    /// Bands of a pulsed screen: period in rows, and how deep.
    pub(super) banding: Option<(f32, f32)>,
    /// The pixels of the screen: pitch in pixels of the camera, and how deep.
    pub(super) moire: Option<(f32, f32)>,
    /// The radius of the circle of confusion, in pixels.
    pub(super) defocus_px: f32,
    /// The path of the code during the exposure, in pixels.
    pub(super) motion_px: (f32, f32),
    pub(super) exposure: f32,
    /// What the camera's amplifier makes up for.
    pub(super) gain: f32,
    /// The share of light beyond full wells that spills over.
    pub(super) bloom: f32,
    /// Electrons of a full well at a gain of 1.
    pub(super) full_well: f32,
    /// The quality of the camera's JPEG.
    pub(super) jpeg: Option<u8>,
    pub(super) sharpened: bool,
}

/// Conditions that may come together.
const MIXED: [Condition; 15] = [
    Condition::Tilt,
    Condition::Rotate,
    Condition::Defocus,
    Condition::Motion,
    Condition::Dark,
    Condition::Overexposed,
    Condition::Glare,
    Condition::Backlight,
    Condition::Shadow,
    Condition::Moire,
    Condition::Banding,
    Condition::Curved,
    Condition::Lowcontrast,
    Condition::Finger,
    Condition::Jpeg,
];

impl Setup {
    pub(super) fn draw(condition: Condition, severity: f32, text: &str, random: &mut Random) -> Self {
        let (width, height) = if random.unit() < 0.5 { (640, 480) } else { (1280, 720) };
        let needs_phone = matches!(condition, Condition::Moire | Condition::Banding | Condition::Overexposed);
        let needs_paper = matches!(condition, Condition::Curved | Condition::Creased);
        let phone = needs_phone || (!needs_paper && random.unit() < 0.6);
        let carrier = Carrier::draw(text, phone, random);
        // About 4 pixels a module, seldom fewer than 2 or more than 8.
        let wanted_px = 4.2 * (0.38 * random.normal()).exp();
        let module_px = match condition {
            Condition::Small => 3.0 - 1.6 * severity,
            _ => wanted_px.clamp(2.0, 10.5),
        };
        let fits_px = height as f32 * 0.86 / (carrier.size + 8) as f32;
        let mut setup = Self {
            width,
            height,
            carrier,
            pose: Pose::default(),
            module_px: module_px.min(fits_px),
            ground: 0.05 + 0.4 * random.unit(),
            carrier_light: 1.0,
            shadow: None,
            glare: None,
            finger: None,
            banding: None,
            moire: None,
            defocus_px: 0.0,
            motion_px: (0.0, 0.0),
            exposure: 0.55 + 0.4 * random.unit(),
            gain: 1.0,
            bloom: 0.0,
            full_well: 6000.0,
            jpeg: None,
            sharpened: random.unit() < 0.5,
        };
        let mut angles = [10.0, 6.0, 6.0].map(|most: f32| most * (2.0 * random.unit() - 1.0));
        if condition == Condition::Combined {
            for _ in 0..3 + random.below(2) {
                let one = MIXED[random.below(MIXED.len())];
                setup.apply(one, 0.38 * severity + 0.07, &mut angles, random);
            }
        } else {
            setup.apply(condition, severity, &mut angles, random);
        }
        setup.place(angles, random);
        setup
    }

    /// Somewhere in the frame, whole.
    pub(super) fn place(&mut self, angles: [f32; 3], random: &mut Random) {
        let half = 0.5 * (self.carrier.size + 8) as f32 * self.module_px;
        let centre = [self.width, self.height].map(|side| {
            let room = (0.5 * side as f32 - 1.25 * half).max(0.0);
            0.5 * side as f32 + room * (2.0 * random.unit() - 1.0)
        });
        self.pose = Pose::new(angles, half, centre, self.width, self.height);
    }

    pub(super) fn apply(&mut self, condition: Condition, severity: f32, angles: &mut [f32; 3], random: &mut Random) {
        let sign = if random.unit() < 0.5 { -1.0 } else { 1.0 };
        match condition {
            Condition::Clean | Condition::Small | Condition::Combined => {}
            Condition::Tilt => {
                angles[1] = sign * (25.0 + 34.0 * severity);
                angles[2] = 30.0 * random.unit() - 15.0;
            }
            Condition::Rotate => {
                angles[0] = 15.0 + 330.0 * random.unit();
                self.module_px = self.module_px.min(3.6 - 2.2 * severity);
            }
            Condition::Defocus => self.defocus_px = (0.3 + 0.6 * severity) * self.module_px,
            Condition::Motion => {
                let length_px = (0.4 + 1.5 * severity) * self.module_px;
                let angle = std::f32::consts::TAU * random.unit();
                self.motion_px = (length_px * angle.cos(), length_px * angle.sin());
            }
            Condition::Dark => {
                self.exposure = 0.1 - 0.0935 * severity;
                self.gain = (0.5 / self.exposure).min(8.0);
                self.full_well = 2200.0;
            }
            Condition::Overexposed => {
                self.exposure = 2.0 + 7.0 * severity;
                self.bloom = 0.1 + 0.22 * severity;
            }
            Condition::Glare => {
                let at = [0, 1].map(|_| 1.2 * random.unit() - 0.6);
                self.glare = Some((at[0], at[1], 0.1 + 0.36 * severity, 3.0));
                self.ground += 0.1;
            }
            Condition::Backlight => {
                self.carrier_light = 0.34 - 0.29 * severity;
                self.ground = 1.0 + 3.0 * severity;
                self.exposure = self.exposure.max(0.7);
            }
            Condition::Shadow => {
                let edge_px = 0.7 + 5.0 * random.unit();
                self.shadow = Some((0.2 - 0.19 * severity, edge_px));
            }
            Condition::Moire => self.moire = Some((0.92 + 0.3 * random.unit(), 0.35 + 0.6 * severity)),
            Condition::Banding => self.banding = Some((20.0 + 60.0 * random.unit(), 0.3 + 0.62 * severity)),
            Condition::Curved => self.carrier.bend = Bend::curve(severity),
            Condition::Creased => self.carrier.bend = Bend::creases(severity, random),
            Condition::Lowcontrast => {
                let middle = 0.25 + 0.25 * random.unit();
                let half = middle * (0.42 - 0.365 * severity);
                self.carrier.levels = (middle - half, middle + half);
            }
            Condition::Inverted => {
                let (ink, ground) = self.carrier.levels;
                self.carrier.levels = (0.75 * ground, (0.02 + 0.22 * severity).max(ink));
                self.carrier.card = self.carrier.levels.1;
                self.module_px = self.module_px.min(4.0 - 2.6 * severity);
            }
            Condition::Finger => self.finger = Some((random.below(4), 0.32 * severity - 0.16)),
            Condition::Jpeg => {
                self.jpeg = Some((45.0 - 39.0 * severity) as u8);
                self.module_px = self.module_px.min(4.4 - 2.2 * severity);
            }
        }
    }
}
