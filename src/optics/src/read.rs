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

use super::detector::{Appearance, Deadline, Detector, Effort, Found, Hope, Plane, Point};
use super::diagnosis::Diagnosis;
use super::engine::{self, Code};
use super::frame::Frame;
use super::framing::Seen;
use super::passes::Darkroom;
use super::region::Region;
use super::schedule::{self, GLANCES, Schedule, VIEWS};

/// Reads frames one after another, keeping its buffers.
#[derive(Debug)]
pub struct Reader {
    detector: Detector,
    found: Vec<Found>,
    schedule: Schedule,
    darkroom: Darkroom,
    /// Where the last frame showed a code.
    region: Option<Region>,
    /// For how many frames on end it has.
    again: usize,
    /// The part of a frame that is looked at by itself.
    cutting: Vec<u8>,
    budget: Duration,
    panics: u64,
}

/// Of so many frames on end that show a code one is looked at as a whole.
const WHOLE_EVERY: usize = 3;
/// The shortest side worth a look: a version 1 code of one pixel a module.
const MIN_SIDE_PX: usize = 21;

impl Reader {
    /// A reader that takes every look it knows: for pictures at rest.
    pub fn new() -> Self {
        Self::with_budget(Duration::MAX)
    }

    /// A reader that begins no further look once `budget` has passed on a
    /// frame: for a live camera, where the next frame is the better look. The
    /// first look is always taken, and a look that has begun is finished.
    pub fn with_budget(budget: Duration) -> Self {
        Self {
            detector: Detector::default(),
            found: Vec::new(),
            schedule: Schedule::default(),
            darkroom: Darkroom::default(),
            region: None,
            again: 0,
            cutting: Vec::new(),
            budget,
            panics: 0,
        }
    }

    /// What is in `frame`.
    pub fn read(&mut self, frame: &Frame) -> Sight {
        let began = Instant::now();
        let deadline = Deadline(began.checked_add(self.budget));
        self.found.clear();
        self.detector.begin();
        let plane = Plane::new(frame.luma(), frame.width() as usize, frame.height() as usize);
        let plane = plane.filter(|plane| plane.width.min(plane.height) >= MIN_SIDE_PX);
        if let Some(plane) = plane
            && !self.look_again(plane)
        {
            self.look(plane, deadline);
        }
        let mut seen: Vec<Seen> = self.found.iter().map(Seen::around).collect();
        self.region = plane.and_then(|plane| Region::around(seen.first()?, plane)).filter(|_| deadline.0.is_some());
        let mut codes: Vec<Code> = self.found.drain(..).map(Code::from).collect();
        let mut saw_grid = false;
        // A second engine of another make reads a few that ours does not; only where there is something to read.
        if codes.is_empty()
            && let Some(code) = self.detector.appearance()
            && let Some(plane) = plane
            && let Some(region) = Region::between(code.from, code.to, plane)
            && !deadline.is_past()
        {
            saw_grid = self.ask_engine(region, plane, &mut codes);
        }
        let diagnosis = match (codes.is_empty(), self.detector.appearance()) {
            (false, _) => Diagnosis::Read,
            (true, Some(appearance)) => judge(appearance),
            (true, None) if saw_grid => Diagnosis::Unreadable,
            (true, None) => Diagnosis::NoCode,
        };
        if seen.is_empty() {
            seen.extend(self.detector.appearance().map(Seen::from));
        }
        Sight {
            payloads: in_reading_order(codes),
            diagnosis,
            seen,
            decode_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// Looks with our own detector in one view after another, until something is read or it is enough. The first few views
    /// look for what is easily read; then what they found is read with more effort, and so is all that the others find.
    fn look(&mut self, plane: Plane<'_>, deadline: Deadline) {
        let Self { detector, found, schedule, .. } = self;
        let order = schedule.begin(deadline.0.is_some());
        for (n, view) in order.into_iter().enumerate() {
            if n > 0 && deadline.is_past() {
                return schedule.cut(view);
            }
            if !schedule::is_worth(VIEWS[view], plane) {
                continue;
            }
            // The first look is finished, whatever the budget.
            let within = if n == 0 { Deadline(None) } else { deadline };
            let effort = if n < GLANCES { Effort::Hard } else { Effort::Soft };
            let read = detector.look(plane, VIEWS[view], effort, within, found)
                || (n + 1 == GLANCES && detector.read(plane, Effort::Soft, deadline, found))
                || (n + 1 == GLANCES && detector.hope() == Hope::Pair && detector.suppose(plane, deadline, found));
            if read || detector.appearance().is_some() {
                schedule.expect();
            }
            if read {
                return schedule.prefer(view);
            }
            if schedule.is_enough(n + 1, detector) {
                break;
            }
        }
        if !deadline.is_past() && detector.hope() > Hope::None {
            detector.suppose(plane, deadline, found);
        }
    }

    /// Looks where the last frame showed a code, as it was seen there; gives whether one is read. Now and then it does
    /// not, so that a second code in view is found.
    fn look_again(&mut self, plane: Plane<'_>) -> bool {
        let Self { detector, found, schedule, region, cutting, again, .. } = self;
        *again = if region.is_some() { *again + 1 } else { 0 };
        let Some(region) = region.filter(|_| *again % WHOLE_EVERY != 0) else {
            return false;
        };
        let Some(part) = region.cut(plane, cutting) else {
            return false;
        };
        if detector.look(part, schedule.favourite(), Effort::Hard, Deadline(None), found) {
            found.iter_mut().for_each(|code| code.shift(region.origin()));
            schedule.expect();
            return true;
        }
        detector.clear();
        false
    }

    /// Looks with the second engine at a part of the frame; gives whether it saw a code that it could not read.
    fn ask_engine(&mut self, region: Region, plane: Plane<'_>, codes: &mut Vec<Code>) -> bool {
        let Self { cutting, darkroom, panics, .. } = self;
        let Some((picture, scale)) = region.cut(plane, cutting).and_then(|part| darkroom.develop(part)) else {
            return false;
        };
        let findings = engine::scan(picture);
        *panics += u64::from(findings.panicked);
        codes.extend(findings.codes.into_iter().map(|code| code.placed(scale, region.origin())));
        findings.saw_grid
    }

    /// Forgets what earlier frames showed and how they were read: the next one has nothing to do with them.
    pub fn forget(&mut self) {
        self.detector.forget();
        self.schedule = Schedule::default();
        self.region = None;
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
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// The payloads read, each once, the top-left code first.
    pub payloads: Vec<Payload>,
    /// The frame in one word.
    pub diagnosis: Diagnosis,
    /// Where codes are in the frame: those that were read, else the one that was not, where that is known.
    pub seen: Vec<Seen>,
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

/// What a person could do about a code that looks like this.
fn judge(code: Appearance) -> Diagnosis {
    match code {
        Appearance { light, .. } if light < 45.0 => Diagnosis::TooDark,
        Appearance { light, dark, .. } if light > 250.0 && dark > 110.0 => Diagnosis::OverExposed,
        Appearance { whole: false, .. } => Diagnosis::CutOff,
        Appearance { unknown_share, .. } if unknown_share > 0.06 => Diagnosis::Glare,
        Appearance { module_px, .. } if module_px < 1.8 => Diagnosis::TooSmall,
        Appearance { clearness, .. } if clearness < 0.72 => Diagnosis::TooBlurred,
        _ => Diagnosis::Unreadable,
    }
}

impl From<Found> for Code {
    fn from(found: Found) -> Self {
        let middle = found.middle();
        Self { payload: found.payload, centre_x: middle.x, centre_y: middle.y }
    }
}

impl Code {
    /// As it lies in the frame of which a part that begins at `origin` was looked at, `scale` times smaller.
    fn placed(mut self, scale: f32, origin: Point) -> Self {
        self.centre_x = self.centre_x * scale + origin.x;
        self.centre_y = self.centre_y * scale + origin.y;
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
    fn a_code_that_was_read_is_seen_where_it_is() {
        let sight = Reader::new().read(&one_code(200, 180, 5, 20));
        let [seen] = sight.seen[..] else { panic!("one code: {:?}", sight.seen) };
        let (from, to) = (20.0, 20.0 + 21.0 * 5.0);
        for (found, expected) in
            [(seen.left, from), (seen.top, from), (seen.right, to), (seen.bottom, to), (seen.module_px, 5.0)]
        {
            assert!((found - expected).abs() < 2.0, "{seen:?}");
        }
        assert_eq!(Reader::new().read(&Frame::new(200, 180, vec![WHITE; 36_000]).unwrap()).seen, []);
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
    fn a_live_code_is_read_frame_after_frame_wherever_it_moves_and_a_second_one_is_found() {
        let frame = |places: &[(usize, usize)], text_px: usize| {
            let mut luma = vec![WHITE; 640 * 480];
            places.iter().for_each(|&place| draw(&mut luma, 640, place, text_px, 20));
            Frame::new(640, 480, luma).unwrap()
        };
        let mut reader = Reader::with_budget(Duration::from_secs(60));
        // It drifts, jumps, drifts on.
        for step in 0..12 {
            let at = if step < 6 { (100 + 9 * step, 90 + 5 * step) } else { (430 - 7 * step, 300) };
            let sight = reader.read(&frame(&[at], 4));
            assert_eq!(sight.payloads.len(), 1, "step {step}");
            let seen = sight.seen[0];
            let off = (seen.left - at.0 as f32).abs().max((seen.top - at.1 as f32).abs());
            assert!(off < 3.0, "step {step}: {seen:?}");
        }
        let both = frame(&[(346, 300), (40, 40)], 4);
        let most = (0..WHOLE_EVERY).map(|_| reader.read(&both).seen.len()).max();
        assert_eq!(most, Some(2), "within {WHOLE_EVERY} frames");
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
