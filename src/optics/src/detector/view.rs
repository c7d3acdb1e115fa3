//! The ways to look at a picture: made smaller, blurred, sharper, even or brighter before finder patterns are sought.
//!
//! One way of looking never shows all codes: noise wants a blur, soft focus wants edges, a code against the light wants
//! even ground. A [`View`] names one way, a [`Darkroom`] makes its picture in buffers that it keeps. Separate from the
//! detector, which decides what to do with what a view shows. Invariant: a picture of the same size allocates nothing.

use super::plane::{self, Plane};
use super::threshold::{Field, Rule};

/// How a picture is looked at when finder patterns are sought in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct View {
    /// Shrunk by this whole number.
    pub(crate) shrink: usize,
    pub(crate) tone: Tone,
    pub(crate) rule: Rule,
    /// Every how many rows are searched.
    pub(crate) row_step: usize,
}

/// What is done to the pixels of a view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tone {
    /// Nothing.
    Plain,
    /// Blurred over so many pixels to each side, against noise.
    Blur(usize),
    /// Sharpened by so many sixteenths of the difference from such a blur.
    Sharp(usize, i16),
    /// So many sixteenths of the difference between the first blur and the second, around grey: against uneven light.
    Flat(usize, usize, i16),
    /// Each pair of rows stretched between its darkest and brightest within so many blocks: against the bands that the
    /// pulsed light of a screen leaves.
    Rows(usize),
    /// Only what is brightest told apart: for over-exposed pictures.
    Highlights,
}

impl Tone {
    /// Whether modules are read from the picture of the view, not from the one that the camera gave.
    pub(crate) fn is_for_modules(self) -> bool {
        matches!(self, Tone::Rows(_) | Tone::Highlights)
    }
}

/// Makes the pictures of views, keeping its buffers.
#[derive(Debug, Default)]
pub(crate) struct Darkroom {
    sums: Vec<u16>,
    small: Vec<u8>,
    near: Vec<u8>,
    far: Vec<u8>,
    done: Vec<u8>,
    field: Field,
}

impl Darkroom {
    /// The picture that `view` shows of `plane`; `None` when nothing is left of it.
    pub(crate) fn develop<'a>(&'a mut self, plane: Plane<'a>, view: View) -> Option<Plane<'a>> {
        let Self { sums, small, near, far, done, field } = self;
        let mut seen = plane;
        if view.shrink > 1 {
            let (width, height) = plane::shrink(plane, view.shrink, sums, small);
            seen = Plane::new(small, width, height)?;
        }
        match view.tone {
            Tone::Plain => return Some(seen),
            Tone::Blur(radius) => plane::blur(seen, radius, sums, done),
            Tone::Sharp(radius, gain) => {
                plane::blur(seen, radius, sums, far);
                plane::sharpen(seen, far, gain, done);
            }
            Tone::Flat(inner, outer, gain) => {
                plane::blur(seen, inner, sums, near);
                plane::blur(seen, outer, sums, far);
                plane::flatten(near, far, gain, done);
            }
            Tone::Rows(across) => {
                field.measure(seen, Rule { rows_log2: 1, across, down: 0, ..Rule::around(0) });
                field.stretch(seen, done);
            }
            Tone::Highlights => plane::highlights(seen, done),
        }
        Some(Plane { luma: done, ..seen })
    }
}
