//! The reader: a [`Frame`] in, the payloads of its codes out.
//!
//! It takes one look after another until one reads something, within a budget
//! of time, and says in one word what it saw. Separate from the looks and from
//! the engine, so that both can be replaced without a caller noticing.
//! Invariants: it never panics, whatever the frame; it returns only payloads
//! that passed error correction, each once, the top-left code first; "nothing
//! there" and "a code that cannot be read" are two different answers.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::diagnosis::Diagnosis;
use super::engine::{self, Code};
use super::frame::Frame;
use super::passes::{Darkroom, PASSES};

/// Reads frames one after another, keeping its buffers.
#[derive(Debug)]
pub struct Reader {
    darkroom: Darkroom,
    budget: Duration,
    panics: u64,
}

impl Reader {
    /// A reader that takes every look it knows: for pictures at rest.
    pub fn new() -> Self {
        Self::with_budget(Duration::MAX)
    }

    /// A reader that begins no further look once `budget` has passed on a
    /// frame: for a live camera, where the next frame is the better look. The
    /// first look is always taken, and a look that has begun is finished.
    pub fn with_budget(budget: Duration) -> Self {
        Self { darkroom: Darkroom::default(), budget, panics: 0 }
    }

    /// What is in `frame`.
    pub fn read(&mut self, frame: &Frame) -> Sight {
        let began = Instant::now();
        let mut codes = Vec::new();
        let mut saw_grid = false;
        for (n, &pass) in PASSES.iter().enumerate() {
            if n > 0 && began.elapsed() >= self.budget {
                break;
            }
            let Some((picture, scale)) = self.darkroom.develop(frame, pass) else {
                continue;
            };
            let findings = engine::scan(picture);
            self.panics += u64::from(findings.panicked);
            saw_grid |= findings.saw_grid;
            codes.extend(findings.codes.into_iter().map(|code| code.scaled(scale)));
            if !codes.is_empty() {
                break;
            }
        }
        let diagnosis = match (codes.is_empty(), saw_grid) {
            (false, _) => Diagnosis::Read,
            (true, true) => Diagnosis::Unreadable,
            (true, false) => Diagnosis::NoCode,
        };
        Sight {
            payloads: in_reading_order(codes),
            diagnosis,
            decode_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// How often the engine panicked and was caught since this reader was made.
    pub fn panics(&self) -> u64 {
        self.panics
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

/// What one frame showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// The payloads read, each once, the top-left code first.
    pub payloads: Vec<Payload>,
    /// The frame in one word.
    pub diagnosis: Diagnosis,
    /// How long reading took, in microseconds.
    pub decode_us: u64,
}

/// The bytes of one code, as they stand in it: nothing is known about them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Payload(Vec<u8>);

impl Payload {
    /// Bytes that come from elsewhere than a code (a file, a wedge scanner).
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text for a human; what is not UTF-8 becomes `U+FFFD`.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl Code {
    fn scaled(mut self, scale: f32) -> Self {
        self.centre_x *= scale;
        self.centre_y *= scale;
        self
    }
}

/// Each payload once, by the distance of its code from the top-left corner.
fn in_reading_order(mut codes: Vec<Code>) -> Vec<Payload> {
    codes.sort_by(|a, b| (a.centre_x + a.centre_y).total_cmp(&(b.centre_x + b.centre_y)));
    let mut payloads: Vec<Payload> = Vec::with_capacity(codes.len());
    for Code { payload, .. } in codes {
        let payload = Payload(payload);
        if !payloads.contains(&payload) {
            payloads.push(payload);
        }
    }
    payloads
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    /// A version 1 code that says "rqrr" (from the engine's documentation).
    const CODE: [&str; 21] = [
        "#######...#...#######",
        "#.....#.###...#.....#",
        "#.###.#..#.##.#.###.#",
        "#.###.#.....#.#.###.#",
        "#.###.#.##.##.#.###.#",
        "#.....#..###..#.....#",
        "#######.#.#.#.#######",
        "..........#..........",
        "#.#.#.#.....#...#..#.",
        "#..##......#.#.#.#..#",
        ".#.##.##.###.###.####",
        "##...#..######.##..##",
        "..#.###.#..#.###.#..#",
        "........###...#..#..#",
        "#######..##.#...#..##",
        "#.....#..##...#....#.",
        "#.###.#.#...#.#.##.##",
        "#.###.#..#.#.#.#.#.#.",
        "#.###.#.##.#.###....#",
        "#.....#...####.###.#.",
        "#######.#..#.###..###",
    ];

    /// The luma of the ground on which codes are drawn.
    const WHITE: u8 = 230;

    /// Draws `CODE` in luma `ink`, its corner at `left`, `top`.
    fn draw(luma: &mut [u8], width: usize, (left, top): (usize, usize), module_px: usize, ink: u8) {
        for y in 0..21 * module_px {
            for x in 0..21 * module_px {
                if CODE[y / module_px].as_bytes()[x / module_px] == b'#' {
                    luma[(top + y) * width + left + x] = ink;
                }
            }
        }
    }

    fn one_code(width: usize, height: usize, module_px: usize, ink: u8) -> Frame {
        let mut luma = vec![WHITE; width * height];
        let corner = (4 * module_px, 4 * module_px);
        draw(&mut luma, width, corner, module_px, ink);
        Frame::new(width as u32, height as u32, luma).unwrap()
    }

    /// A code across which the sharp edge of a deep shadow falls.
    fn shadowed_code() -> Frame {
        let mut luma = one_code(200, 180, 5, 120).luma().to_vec();
        for row in luma.chunks_mut(200) {
            row[72..].iter_mut().for_each(|pixel| *pixel /= 4);
        }
        Frame::new(200, 180, luma).unwrap()
    }

    #[test]
    fn a_plain_code_is_read_as_its_bytes() {
        let sight = Reader::new().read(&one_code(200, 180, 5, 20));
        assert_eq!(sight.payloads, [Payload::new(b"rqrr".to_vec())]);
        assert_eq!(sight.diagnosis.name(), "read");
    }

    #[test]
    fn a_code_half_in_shadow_is_read_by_a_later_look() {
        let sight = Reader::new().read(&shadowed_code());
        assert_eq!(sight.payloads, [Payload::new(b"rqrr".to_vec())]);
    }

    #[test]
    fn a_code_in_the_largest_frame_is_read() {
        let sight = Reader::new().read(&one_code(4096, 4096, 40, 20));
        assert_eq!(sight.payloads, [Payload::new(b"rqrr".to_vec())]);
    }

    #[test]
    fn the_same_payload_twice_in_view_is_one_payload() {
        let mut luma = vec![WHITE; 400 * 200];
        draw(&mut luma, 400, (20, 30), 5, 20);
        draw(&mut luma, 400, (240, 30), 5, 20);
        let frame = Frame::new(400, 200, luma).unwrap();
        assert_eq!(Reader::new().read(&frame).payloads.len(), 1);
    }

    #[test]
    fn codes_come_from_the_top_left_on() {
        let code = |text: &str, centre_x, centre_y| Code { payload: text.as_bytes().to_vec(), centre_x, centre_y };
        let codes = vec![
            code("right", 90.0, 10.0),
            code("low", 10.0, 120.0),
            code("first", 12.0, 9.0),
            code("right", 91.0, 10.0),
        ];
        let order: Vec<_> =
            in_reading_order(codes).iter().map(|payload| payload.to_string_lossy().into_owned()).collect();
        assert_eq!(order, ["first", "right", "low"]);
    }

    #[test]
    fn a_code_that_is_half_wiped_out_is_unreadable_not_absent() {
        let mut frame = one_code(200, 180, 5, 20).luma().to_vec();
        for y in 65..125 {
            for x in 65..125 {
                frame[y * 200 + x] = if (x / 5 + y / 5) % 3 == 0 { 20 } else { WHITE };
            }
        }
        let sight = Reader::new().read(&Frame::new(200, 180, frame).unwrap());
        assert_eq!(sight.diagnosis.name(), "unreadable");
        assert!(sight.payloads.is_empty());
    }

    #[test]
    fn frames_of_hostile_shape_and_content_read_as_nothing() {
        let mut state = 1_u32;
        let mut noise = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let mut reader = Reader::new();
        let sizes =
            [(1, 1), (1, 100), (100, 1), (1, 4096), (4096, 1), (2, 2), (21, 21), (22, 4096), (257, 131), (640, 480)];
        for (width, height) in sizes {
            let len = (width * height) as usize;
            let stripes = |at: usize| if (at / 3).is_multiple_of(2) { 0 } else { 255 };
            let contents: [Vec<u8>; 4] =
                [vec![0; len], vec![255; len], (0..len).map(&mut noise).collect(), (0..len).map(stripes).collect()];
            for luma in contents {
                let sight = reader.read(&Frame::new(width, height, luma).unwrap());
                assert!(sight.payloads.is_empty(), "{width}×{height}");
            }
        }
    }

    #[test]
    fn a_spent_budget_leaves_the_first_look_only() {
        let sight = Reader::with_budget(Duration::ZERO).read(&shadowed_code());
        assert!(sight.payloads.is_empty());
        let sight = Reader::with_budget(Duration::ZERO).read(&one_code(200, 180, 5, 20));
        assert_eq!(sight.payloads.len(), 1);
    }
}
