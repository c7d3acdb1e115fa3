//! One finder pattern, exactly: rays from a supposed centre say whether it is one and where its four corners are.
//!
//! A finder pattern (ISO/IEC 18004 §6.3.3) is three squares in one another, 3, 5 and 7 modules wide. From its centre
//! every ray, at whatever angle and under whatever tilt, crosses their edges at distances of 3 : 5 : 7. This tells a
//! finder pattern from text and bricks far better than the ratios of one row, and the outer crossings are points of a
//! quadrilateral whose corners give tilt and rotation before the second pattern is known. Separate from the search,
//! which only guesses centres. Invariant: a [`Finder`] has corners in clockwise order around its centre.

use std::sync::LazyLock;

use super::geometry::{Line, Point};
use super::plane::Plane;
use super::threshold::Field;

/// A finder pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finder {
    /// Where the diagonals of its outer edge meet, in pixels.
    pub(crate) centre: Point,
    /// The corners of its outer edge, clockwise on the picture.
    pub(crate) corners: [Point; 4],
    /// A seventh of the mean length of its edge, in pixels.
    pub(crate) module_px: f32,
    /// Whether it is light on dark: a code shown in a dark mode.
    pub(crate) inverted: bool,
    /// How far its crossings are from 3 : 5 : 7; 0 is perfect.
    pub(crate) error: f32,
}

impl Finder {
    /// The same finder on a picture that is `by` times as large.
    pub(crate) fn scaled(self, by: f32) -> Self {
        Self {
            centre: self.centre * by,
            corners: self.corners.map(|corner| corner * by),
            module_px: self.module_px * by,
            ..self
        }
    }
}

/// How many rays are cast.
const RAYS: usize = 40;
/// The rays between one that is cast and the next; shares no divisor with [`RAYS`].
const TURN: usize = 11;
/// Their directions, clockwise.
static DIRECTIONS: LazyLock<[(f32, f32); RAYS]> = LazyLock::new(|| {
    std::array::from_fn(|ray| {
        let (sine, cosine) = (ray as f32 * (std::f32::consts::TAU / RAYS as f32)).sin_cos();
        (cosine, sine)
    })
});
/// How many of them must cross all three edges.
const ENOUGH_RAYS: usize = 28;
/// The mean error of the two ratios beyond which it is something else.
const MAX_ERROR: f32 = 0.16;

/// How much larger the error can be while only steps are known.
const ROUGHNESS: f32 = 0.05;
/// How much of the error a module of bleeding is: an over-exposed code has some, another pattern seldom looks so.
const BLEEDING_SHARE: f32 = 0.12;

/// Where one ray crosses the three edges, in pixels from the centre.
#[derive(Debug, Clone, Copy)]
struct Crossings {
    direction: Point,
    at: [f32; 3],
}

/// Looks whether a finder pattern of about `module_px` pixels a module has its centre near `centre`.
pub(crate) fn inspect(
    plane: Plane<'_>,
    field: &Field,
    centre: Point,
    module_px: f32,
    inverted: bool,
) -> Option<Finder> {
    let nothing = Crossings { direction: Point::new(0.0, 0.0), at: [0.0; 3] };
    let mut seen = [None; RAYS];
    let mut failed = 0;
    for turn in 0..RAYS {
        // All around from the first rays on, so that what is no finder pattern is soon known for it.
        let ray = turn * TURN % RAYS;
        let (x, y) = DIRECTIONS[ray];
        seen[ray] = cast(plane, field, centre, Point::new(x, y), module_px, inverted);
        failed += usize::from(seen[ray].is_none());
        if failed > RAYS - ENOUGH_RAYS || failed > turn / 2 + 2 {
            return None;
        }
    }
    let mut crossings = [nothing; RAYS];
    let traces = seen.iter().flatten();
    let count = traces.clone().count();
    let crossed = &mut crossings[..count];
    crossed.iter_mut().zip(traces.clone()).for_each(|(slot, trace)| *slot = trace.roughly());
    // Most of what has all its edges has them at the wrong places, which steps tell already.
    Ratio::of(crossed).filter(|ratio| ratio.error < MAX_ERROR + ROUGHNESS)?;
    crossed.iter_mut().zip(traces).for_each(|(slot, trace)| *slot = trace.crossings(plane, field, centre, inverted));
    let Ratio { error, bleeding } = Ratio::of(crossed).filter(|ratio| ratio.error <= MAX_ERROR)?;
    // Back to where the outer edge was drawn.
    crossed.iter_mut().for_each(|crossed| crossed.at[2] += bleeding * crossed.module());
    let corners = square(centre, crossed)?;
    let centre = Line::fit(&[corners[0], corners[2]])?.meet(Line::fit(&[corners[1], corners[3]])?)?;
    let edge = |at: usize| corners[at].distance(corners[(at + 1) % 4]);
    let edges: [f32; 4] = std::array::from_fn(edge);
    let (shortest, longest) = edges.iter().fold((f32::MAX, 0.0_f32), |(a, b), &e| (a.min(e), b.max(e)));
    if longest > 3.5 * shortest {
        return None;
    }
    let module_px = edges.iter().sum::<f32>() / 28.0;
    Some(Finder { centre, corners, module_px, inverted, error })
}

/// How well the crossings of all rays are those of a finder pattern.
struct Ratio {
    error: f32,
    /// Of light into the dark, in modules; 0 where that is not what they are off by.
    bleeding: f32,
}

impl Ratio {
    /// `None` when it is no number: crossings of a ray fell together.
    fn of(crossed: &[Crossings]) -> Option<Self> {
        let mean = |of: &dyn Fn(&Crossings) -> f32| crossed.iter().map(of).sum::<f32>() / crossed.len() as f32;
        let bleeding = mean(&Crossings::bleeding);
        let plain = mean(&Crossings::error);
        let bled = BLEEDING_SHARE * bleeding.abs() + mean(&|crossed| crossed.error_with(bleeding));
        let ratio = if bled < plain { Self { error: bled, bleeding } } else { Self { error: plain, bleeding: 0.0 } };
        (!ratio.error.is_nan()).then_some(ratio)
    }
}

impl Crossings {
    fn outer(&self, centre: Point) -> Point {
        centre + self.direction * self.at[2]
    }

    /// The length of a module along this ray, in pixels: from edges of the same kind, which bleeding moves alike.
    fn module(&self) -> f32 {
        let [inner, _, outer] = self.at;
        0.5 * (outer - inner)
    }

    /// By how much of a module light has bled into the dark; negative where dark has spread.
    fn bleeding(&self) -> f32 {
        1.5 - self.at[0] / self.module()
    }

    /// How far from 3 : 5 : 7.
    fn error(&self) -> f32 {
        let [inner, middle, outer] = self.at;
        (inner / outer - 3.0 / 7.0).abs() + 0.5 * (middle / outer - 5.0 / 7.0).abs()
    }

    /// The same, apart from the `bleeding` that all rays have.
    fn error_with(&self, bleeding: f32) -> f32 {
        let [inner, middle, _] = self.at;
        0.14 * (self.bleeding() - bleeding).abs() + 0.07 * ((inner + middle) / self.module() - 4.0).abs()
    }
}

/// One ray, as far as its pixels tell.
#[derive(Debug, Clone, Copy)]
struct Trace {
    direction: Point,
    /// In pixels.
    step: f32,
    /// The first step behind each edge.
    behind: [u16; 3],
    /// How far the third edge is where the picture's own stands in for it, in pixels.
    cut: Option<f32>,
}

/// Follows one ray; `None` when it does not cross light, dark and light again within reach.
fn cast(
    plane: Plane<'_>,
    field: &Field,
    centre: Point,
    direction: Point,
    module_px: f32,
    inverted: bool,
) -> Option<Trace> {
    let step = (module_px * 0.25).clamp(0.5, 2.0);
    let steps = (7.5 * module_px / step) as u16;
    let mut behind = [0; 3];
    let mut crossed = 0;
    let mut walk = Walk::new(centre, direction * step);
    for taken in 1..=steps {
        walk.step();
        let Some((x, y)) = walk.pixel(plane) else {
            // The edge of the picture may stand in for the quiet zone only.
            let point = centre + direction * (step * f32::from(taken));
            let cut = step * (f32::from(taken) - 1.0 + inside(plane, point, direction));
            return (crossed == 2).then_some(Trace { direction, step, behind, cut: Some(cut) });
        };
        let dark = (plane.pixel(x, y) < field.at(x, y)) != inverted;
        if dark != (crossed % 2 == 0) {
            behind[crossed] = taken;
            crossed += 1;
            if crossed == 3 {
                return Some(Trace { direction, step, behind, cut: None });
            }
        }
    }
    None
}

impl Trace {
    /// Its edges in the middle of the steps that crossed them.
    fn roughly(&self) -> Crossings {
        let middle = |behind: u16| self.step * (f32::from(behind) - 0.5);
        let outer = self.cut.unwrap_or_else(|| middle(self.behind[2]));
        Crossings { direction: self.direction, at: [middle(self.behind[0]), middle(self.behind[1]), outer] }
    }

    /// Where exactly between two steps its edges are: worth its time only when enough rays have all three.
    fn crossings(&self, plane: Plane<'_>, field: &Field, centre: Point, inverted: bool) -> Crossings {
        let Self { direction, step, behind, cut } = *self;
        let between = |behind: u16| {
            let at = |taken: f32| darkness(plane, field, centre + direction * (step * taken), inverted);
            let taken = f32::from(behind);
            let (before, here) = (at(taken - 1.0), at(taken));
            let share = before / (before - here);
            let share = if share.is_finite() { share.clamp(-0.5, 1.5) } else { 0.5 };
            step * (taken - 1.0 + share)
        };
        let outer = cut.unwrap_or_else(|| between(behind[2]));
        Crossings { direction, at: [between(behind[0]), between(behind[1]), outer] }
    }
}

/// A walk over pixels in equal steps, in 65536ths of a pixel.
struct Walk {
    x: i32,
    y: i32,
    by_x: i32,
    by_y: i32,
}

impl Walk {
    fn new(from: Point, by: Point) -> Self {
        let fixed = |value: f32| (value * 65536.0) as i32;
        Self { x: fixed(from.x), y: fixed(from.y), by_x: fixed(by.x), by_y: fixed(by.y) }
    }

    fn step(&mut self) {
        self.x = self.x.saturating_add(self.by_x);
        self.y = self.y.saturating_add(self.by_y);
    }

    /// The pixel under the walker, unless it has left the picture.
    fn pixel(&self, plane: Plane<'_>) -> Option<(usize, usize)> {
        let (x, y) = (usize::try_from(self.x >> 16).ok()?, usize::try_from(self.y >> 16).ok()?);
        (x < plane.width && y < plane.height).then_some((x, y))
    }
}

/// The share of a step of this direction that was still inside when it ended outside at `point`: roughly.
fn inside(plane: Plane<'_>, point: Point, direction: Point) -> f32 {
    let beyond = |at: f32, len: usize| (-at).max(at - len as f32).max(0.0);
    let over_px = beyond(point.x, plane.width).hypot(beyond(point.y, plane.height));
    (1.0 - over_px / direction.length()).clamp(0.0, 1.0)
}

/// How far below its threshold a point is; negative when it is light. Where there is no contrast all is light.
fn darkness(plane: Plane<'_>, field: &Field, point: Point, inverted: bool) -> f32 {
    let inside = |value: f32, len: usize| (value.max(0.0) as usize).min(len - 1);
    let threshold = field.at(inside(point.x, plane.width), inside(point.y, plane.height));
    let below = f32::from(threshold) - plane.at(point) - 0.5;
    if inverted { -below } else { below }
}

/// The quadrilateral through the outer crossings: the point farthest from the centre is a corner, the one farthest
/// from it the opposite corner, the two farthest from their diagonal the others. Lines through the points between
/// corners then meet in the corners proper.
fn square(centre: Point, crossed: &[Crossings]) -> Option<[Point; 4]> {
    let outer = |at: usize| crossed[at].outer(centre);
    let farthest = |measure: &dyn Fn(Point) -> f32| {
        (0..crossed.len()).max_by(|&a, &b| measure(outer(a)).total_cmp(&measure(outer(b))))
    };
    let first = farthest(&|point| point.distance(centre))?;
    let opposite = farthest(&|point| point.distance(outer(first)))?;
    let diagonal = outer(opposite) - outer(first);
    let left = farthest(&|point| diagonal.cross(point - outer(first)))?;
    let right = farthest(&|point| -diagonal.cross(point - outer(first)))?;
    let mut at = [first, left, opposite, right];
    at.sort_unstable();
    if at.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    let mut sides = [None; 4];
    for (side, slot) in sides.iter_mut().enumerate() {
        *slot = side_of(centre, crossed, at[side], at[(side + 1) % 4]);
    }
    let mut corners = [Point::default(); 4];
    for (corner, slot) in corners.iter_mut().enumerate() {
        let rough = outer(at[corner]);
        let meeting = sides[(corner + 3) % 4].zip(sides[corner]).and_then(|(a, b): (Line, Line)| a.meet(b));
        let near = 0.35 * rough.distance(centre);
        *slot = meeting.filter(|met| met.distance(rough) < near).unwrap_or(rough);
    }
    Some(corners)
}

/// The line through the crossings between two corners, the ones beside the corners left out: blur rounds them.
fn side_of(centre: Point, crossed: &[Crossings], from: usize, to: usize) -> Option<Line> {
    let count = crossed.len();
    let between = (to + count - from) % count;
    let margin = if between >= 6 { 2 } else { 1 };
    let mut points = [Point::default(); RAYS];
    let mut len = 0;
    for step in margin..(between + 1).saturating_sub(margin) {
        points[len] = crossed[(from + step) % count].outer(centre);
        len += 1;
    }
    if len < 2 { None } else { Line::fit(&points[..len]) }
}
