//! The picture that the second engine is given: doubled, and parted in dark and light around each pixel.
//!
//! The engine's result hangs on scale and threshold. It is asked only about a part of a frame in which our own detector
//! saw a code and did not read it, and of the ways to prepare that, this one reads what ours does not: the sharp edge
//! of a shadow across few modules, which no measure of the light around a module follows. Invariants: no picture of more
//! than [`MAX_PIXELS`] is made, none is scanned with a side under [`MIN_SIDE_PX`]; buffers are kept between frames, so a
//! running gate does not allocate for its pictures.

use super::detector::Plane;
use super::engine::Picture;

/// Half the side of the square around a pixel whose mean parts dark from light, in pixels of the doubled picture.
const RADIUS_PX: usize = 10;

/// The most pixels a look may scan.
const MAX_PIXELS: usize = 8 << 20;

/// A picture of more pixels than this has the detail that doubling would invent, and is shrunk instead.
const DOUBLED_PIXELS: usize = 2 << 20;

/// The shortest side worth a look: a version 1 code of one pixel a module.
const MIN_SIDE_PX: usize = 21;

/// How far below the local mean dark begins, in luma steps: less is noise.
const LOCAL_MARGIN: u32 = 4;

/// The buffers in which looks are prepared.
#[derive(Debug, Default)]
pub(super) struct Darkroom {
    scaled: Vec<u8>,
    row: Vec<u16>,
    dark: Vec<u8>,
    column_sums: Vec<u32>,
}

impl Darkroom {
    /// The picture of a frame, with the frame's pixels per pixel of the picture, or `None` when it is not worth a look.
    pub(super) fn develop(&mut self, frame: Plane<'_>) -> Option<(Picture<'_>, f32)> {
        let zoom = Zoom::of(frame);
        let (width, height) = zoom.apply(frame);
        if width.min(height) < MIN_SIDE_PX || width * height > MAX_PIXELS {
            return None;
        }
        let Self { scaled, row, dark, column_sums } = self;
        let luma = match zoom {
            Zoom::Shrink(1) => frame.luma,
            Zoom::Shrink(by) => shrink(frame, by, scaled),
            Zoom::Double => double(frame, row, scaled),
        };
        part_by_local_mean(luma, width, RADIUS_PX, column_sums, dark);
        Some((Picture { width, height, dark }, frame.width as f32 / width as f32))
    }
}

/// By how much a frame is scaled before it is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zoom {
    Shrink(usize),
    Double,
}

impl Zoom {
    fn of(frame: Plane<'_>) -> Self {
        let (width, height) = sides(frame);
        let fit = (1..).find(|by| (width / by) * (height / by) <= DOUBLED_PIXELS).unwrap_or(1);
        if fit == 1 { Self::Double } else { Self::Shrink(fit.div_ceil(2)) }
    }

    fn apply(self, frame: Plane<'_>) -> (usize, usize) {
        let (width, height) = sides(frame);
        match self {
            Self::Shrink(by) => (width / by, height / by),
            Self::Double => (2 * width, 2 * height),
        }
    }
}

fn sides(frame: Plane<'_>) -> (usize, usize) {
    (frame.width, frame.height)
}

/// The mean of every square of `by` × `by` pixels; a rest at the edges is cut.
fn shrink<'a>(frame: Plane<'_>, by: usize, out: &'a mut Vec<u8>) -> &'a [u8] {
    let (width, height) = sides(frame);
    let luma = frame.luma;
    let area = by * by;
    out.clear();
    for y in 0..height / by {
        for x in 0..width / by {
            let sum: usize = (y * by..(y + 1) * by)
                .flat_map(|row| &luma[row * width + x * by..][..by])
                .map(|&pixel| usize::from(pixel))
                .sum();
            out.push((sum / area) as u8);
        }
    }
    out
}

/// Twice as wide and high, bilinear: each pixel is 9:3:3:1 of its neighbours.
fn double<'a>(frame: Plane<'_>, row: &mut Vec<u16>, out: &'a mut Vec<u8>) -> &'a [u8] {
    let (width, height) = sides(frame);
    let source = |y: usize| &frame.luma[y * width..][..width];
    out.clear();
    out.reserve(4 * width * height);
    for y in 0..2 * height {
        let near = y / 2;
        let far = beside(near, y % 2 == 1, height);
        row.clear();
        row.extend(source(near).iter().zip(source(far)).map(|(&near, &far)| 3 * u16::from(near) + u16::from(far)));
        for x in 0..width {
            for right in [false, true] {
                let mixed = 3 * row[x] + row[beside(x, right, width)];
                out.push(((mixed + 8) >> 4) as u8);
            }
        }
    }
    out
}

/// The index before or after `at`, staying within `len`.
fn beside(at: usize, after: bool, len: usize) -> usize {
    if after { (at + 1).min(len - 1) } else { at.saturating_sub(1) }
}

/// Marks as dark (1) what is darker than the mean of the square around it.
/// Sums slide down the columns and along the row: a few operations per pixel.
fn part_by_local_mean(luma: &[u8], width: usize, radius: usize, column_sums: &mut Vec<u32>, dark: &mut Vec<u8>) {
    let height = luma.len() / width;
    let row = |y: usize| &luma[y * width..][..width];
    column_sums.clear();
    column_sums.resize(width, 0);
    dark.clear();
    dark.reserve(luma.len());
    for y in 0..radius.min(height) {
        add(column_sums, row(y));
    }
    for y in 0..height {
        if y + radius < height {
            add(column_sums, row(y + radius));
        }
        if y > radius {
            subtract(column_sums, row(y - radius - 1));
        }
        let rows = span(y, radius, height).len();
        part_row(row(y), column_sums, radius, rows, dark);
    }
}

/// One row of it; `rows` is how many rows the column sums hold.
fn part_row(row: &[u8], column_sums: &[u32], radius: usize, rows: usize, dark: &mut Vec<u8>) {
    let width = row.len();
    let mut sum: u32 = column_sums[..radius.min(width)].iter().sum();
    for (x, &pixel) in row.iter().enumerate() {
        if x + radius < width {
            sum += column_sums[x + radius];
        }
        if x > radius {
            sum -= column_sums[x - radius - 1];
        }
        let area = (rows * span(x, radius, width).len()) as u32;
        let is_dark = (u32::from(pixel) + LOCAL_MARGIN) * area < sum;
        dark.push(u8::from(is_dark));
    }
}

/// The indices of the square's side around `at`, within `len`.
fn span(at: usize, radius: usize, len: usize) -> std::ops::Range<usize> {
    at.saturating_sub(radius)..(at + radius + 1).min(len)
}

fn add(sums: &mut [u32], row: &[u8]) {
    for (sum, &pixel) in sums.iter_mut().zip(row) {
        *sum += u32::from(pixel);
    }
}

fn subtract(sums: &mut [u32], row: &[u8]) {
    for (sum, &pixel) in sums.iter_mut().zip(row) {
        *sum -= u32::from(pixel);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    /// Pixels of no pattern, the same in every run.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 0x2545_F491_u32;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 24) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn the_sliding_threshold_equals_the_plain_definition() {
        let radius = 20;
        for (width, height) in [(1, 60), (60, 1), (57, 49), (41, 41), (20, 3)] {
            let luma = noise(width * height);
            let mut dark = Vec::new();
            part_by_local_mean(&luma, width, radius, &mut Vec::new(), &mut dark);
            for y in 0..height {
                for x in 0..width {
                    let square: Vec<u32> = span(y, radius, height)
                        .flat_map(|y| span(x, radius, width).map(move |x| y * width + x))
                        .map(|at| u32::from(luma[at]))
                        .collect();
                    let mean = square.iter().sum::<u32>() as f64 / square.len() as f64;
                    let at = y * width + x;
                    let expected = f64::from(luma[at]) + f64::from(LOCAL_MARGIN) < mean;
                    assert_eq!(dark[at] == 1, expected, "{x},{y} of {width}×{height}");
                }
            }
        }
    }

    #[test]
    fn doubling_then_shrinking_gives_about_the_same_picture() {
        let gentle: Vec<u8> = (0..40_u32 * 30).map(|at| (at % 40 * 6) as u8).collect();
        let frame = Plane::new(&gentle, 40, 30).unwrap();
        let mut doubled = Vec::new();
        double(frame, &mut Vec::new(), &mut doubled);
        let doubled = Plane::new(&doubled, 80, 60).unwrap();
        let mut back = Vec::new();
        shrink(doubled, 2, &mut back);
        for (before, after) in gentle.iter().zip(&back) {
            assert!(before.abs_diff(*after) <= 2, "{before} became {after}");
        }
    }

    #[test]
    fn no_look_is_larger_than_its_bound_and_large_frames_still_get_one() {
        let sizes = [(2, 2), (2, 4096), (21, 21), (1280, 720), (4096, 4096)];
        for (width, height) in sizes {
            let luma = vec![128; width * height];
            let frame = Plane::new(&luma, width, height).unwrap();
            let mut darkroom = Darkroom::default();
            let picture = darkroom.develop(frame).map(|(picture, _)| picture.width * picture.height);
            assert!(picture.is_none_or(|pixels| pixels <= MAX_PIXELS), "{width}×{height}");
            assert_eq!(picture.is_some(), width.min(height) >= 21, "{width}×{height}");
        }
    }
}
