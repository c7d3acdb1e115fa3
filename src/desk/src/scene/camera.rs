//! The habits of a camera and of the people before it.
//!
//! Every property is a range from which the seed of a scene draws, so that one
//! camera gives a whole family of frames; a range of one value fixes it.

use std::ops::RangeInclusive;

/// On what the code is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// A phone: a screen that shines by itself, in a dark bezel.
    Phone,
    /// A sheet: off-white, with texture, lit by the place.
    Paper,
}

/// A camera at a gate and what it gets to see.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Width of its frames, in pixels; clamped to what a frame may have.
    pub width: u32,
    /// Height of its frames, in pixels; clamped likewise.
    pub height: u32,
    /// On what the code is shown.
    pub carrier: Carrier,
    /// Size of a module at the centre of the code, in pixels.
    pub module_px: RangeInclusive<f32>,
    /// Turn of the carrier in the plane of the frame, in degrees.
    pub rotation_deg: RangeInclusive<f32>,
    /// Lean of the carrier out of that plane, in degrees, about either axis.
    pub tilt_deg: RangeInclusive<f32>,
    /// Distance of the code's centre from the frame's, in pixels, either way.
    pub offset_px: RangeInclusive<f32>,
    /// Standard deviation of the blur, in pixels.
    pub defocus_px: RangeInclusive<f32>,
    /// Standard deviation of the noise, in luma steps of 255.
    pub noise_dn: RangeInclusive<f32>,
    /// Share of the light lost from one side of the frame to the other, 0 to 1.
    pub light_fall: RangeInclusive<f32>,
    /// Brightness of the frame: at 1 a white sheet in full light is 0.8 of white.
    pub exposure: RangeInclusive<f32>,
}

impl Camera {
    /// What a well-aimed gate camera sees when someone holds a pass as asked.
    pub fn easy() -> Self {
        Self {
            width: 1280,
            height: 720,
            carrier: Carrier::Phone,
            module_px: 5.5..=7.5,
            rotation_deg: -8.0..=8.0,
            tilt_deg: -10.0..=10.0,
            offset_px: -50.0..=50.0,
            defocus_px: 0.4..=0.9,
            noise_dn: 1.0..=3.0,
            light_fall: 0.0..=0.3,
            exposure: 0.75..=1.0,
        }
    }

    /// Held too far away: modules of two to three pixels.
    pub fn far() -> Self {
        Self { module_px: 2.0..=3.0, defocus_px: 0.4..=0.7, ..Self::easy() }
    }

    /// Held askew: turned and leaning.
    pub fn askew() -> Self {
        Self { module_px: 4.5..=6.0, rotation_deg: -35.0..=35.0, tilt_deg: -35.0..=35.0, ..Self::easy() }
    }

    /// Out of focus: the blur is about half a module wide.
    pub fn soft() -> Self {
        Self { module_px: 4.0..=5.0, defocus_px: 1.6..=2.4, ..Self::easy() }
    }

    /// At night: little light and much noise.
    pub fn dim() -> Self {
        Self { module_px: 4.0..=6.0, noise_dn: 6.0..=11.0, exposure: 0.03..=0.09, ..Self::easy() }
    }

    /// Every camera here with its name, the easy one first.
    pub fn all() -> [(&'static str, Self); 5] {
        [
            ("easy", Self::easy()),
            ("far", Self::far()),
            ("askew", Self::askew()),
            ("soft", Self::soft()),
            ("dim", Self::dim()),
        ]
    }

    /// The same camera before which codes are shown on `carrier`.
    #[must_use]
    pub fn showing(mut self, carrier: Carrier) -> Self {
        self.carrier = carrier;
        self
    }
}
