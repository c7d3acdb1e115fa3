//! The ways to look at a picture: made smaller, blurred, sharper, even or brighter before finder patterns are sought.
//!
//! One way of looking never shows all codes: noise wants a blur, soft focus wants edges, a code against the light wants
//! even ground. A [`View`] names one way, a [`Darkroom`] makes its picture in buffers that it keeps. Separate from the
//! detector, which decides what to do with what a view shows. Invariant: a picture of the same size allocates nothing.

use super::plane::{self, Plane};
use super::threshold::Rule;

/// How a picture is looked at when finder patterns are sought in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct View {
    pub(crate) shrink: Shrink,
    pub(crate) tone: Tone,
    pub(crate) rule: Rule,
    /// Every how many rows are searched.
    pub(crate) row_step: usize,
}

/// How much smaller than the picture a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shrink {
    Not,
    Half,
    Quarter,
}

impl Shrink {
    /// How many pixels of the picture one of the view spans.
    pub(crate) fn scale(self) -> f32 {
        match self {
            Self::Not => 1.0,
            Self::Half => 2.0,
            Self::Quarter => 4.0,
        }
    }
}

/// What is done to the pixels of a view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tone {
    /// Nothing.
    Plain,
    /// Blurred a little, against noise.
    Soft,
    /// Sharpened by so many sixteenths of the difference from such a blur.
    Sharp(usize, i16),
    /// So many sixteenths of the difference from a blur that reaches [`plane::FAR`] times as many pixels, around grey:
    /// against uneven light. For a picture that is not shrunk.
    Flat(usize, i16),
    /// Dark grown by a pixel: for light that has bled into it.
    Eroded,
    /// Only what is brightest told apart: for over-exposed pictures.
    Highlights,
}

impl Tone {
    /// Whether other modules can be told in the picture of the view than in the frame.
    pub(crate) fn shows_other_modules(self) -> bool {
        matches!(self, Tone::Eroded | Tone::Highlights)
    }

    fn needs_quarter(self) -> bool {
        matches!(self, Tone::Flat(..))
    }
}

/// Makes the pictures of views, keeping its buffers and, until [`Darkroom::begin`], what several views share.
#[derive(Debug, Default)]
pub(crate) struct Darkroom {
    sums: Vec<u16>,
    half: Small,
    quarter: Small,
    near: Vec<u8>,
    far: Vec<u8>,
    line: Vec<u8>,
    done: Vec<u8>,
}

/// A picture made smaller; empty until it is wanted.
#[derive(Debug, Default)]
struct Small {
    luma: Vec<u8>,
    width: usize,
    height: usize,
}

impl Small {
    /// Makes it half of `plane`, unless that is done; whether anything is left.
    fn halve(&mut self, plane: Plane<'_>, sums: &mut Vec<u16>) -> Option<()> {
        if self.luma.is_empty() {
            (self.width, self.height) = plane::halve(plane, sums, &mut self.luma);
        }
        self.plane().map(drop)
    }

    fn plane(&self) -> Option<Plane<'_>> {
        Plane::new(&self.luma, self.width, self.height)
    }
}

impl Darkroom {
    /// Another picture comes.
    pub(crate) fn begin(&mut self) {
        self.half.luma.clear();
        self.quarter.luma.clear();
    }

    /// The picture that `view` shows of `plane`; `None` when nothing is left of it.
    pub(crate) fn develop<'a>(&'a mut self, plane: Plane<'a>, view: View) -> Option<Plane<'a>> {
        let Self { sums, half, quarter, near, far, line, done } = self;
        if view.shrink > Shrink::Not || view.tone.needs_quarter() {
            half.halve(plane, sums)?;
        }
        if view.shrink > Shrink::Half || view.tone.needs_quarter() {
            quarter.halve(half.plane()?, sums)?;
        }
        let seen = match view.shrink {
            Shrink::Not => plane,
            Shrink::Half => half.plane()?,
            Shrink::Quarter => quarter.plane()?,
        };
        match view.tone {
            Tone::Plain => return Some(seen),
            Tone::Soft => plane::soften(seen, sums, done),
            Tone::Sharp(radius, gain) => {
                plane::blur(seen, radius, sums, far);
                plane::sharpen(seen, far, gain, done);
            }
            Tone::Flat(outer, gain) => {
                let small = quarter.plane()?;
                plane::blur(small, outer, sums, far);
                plane::blur(seen, 1, sums, near);
                let near = Plane { luma: near, ..seen };
                plane::flatten(near, Plane { luma: far, ..small }, gain, line, done);
            }
            Tone::Eroded => plane::erode(seen, line, done),
            Tone::Highlights => plane::highlights(seen, done),
        }
        Some(Plane { luma: done, ..seen })
    }
}
