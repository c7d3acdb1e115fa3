//! Which three finder patterns belong to one code.
//!
//! Each finder pattern brings its own corners, so it knows which way its rows run and how large its modules are. Three
//! belong together when each sees the others along its own rows or columns, at about the same number of modules. With
//! that a crowded picture gives few triples, and the right one first. Separate from the grid that is laid over a triple.
//! Invariant: the corner pattern is named such that x runs towards `right` and y towards `below`, clockwise on the
//! picture; a mirrored code shows as one whose grid must be transposed.

use super::finder::Finder;
use super::geometry::Point;

/// Three finder patterns of one code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Triple {
    pub(crate) corner: Finder,
    pub(crate) right: Finder,
    pub(crate) below: Finder,
    /// Modules between the centres, as the patterns' own sizes have it; a code of `n` modules has `n - 7`.
    pub(crate) span_modules: f32,
    /// How badly they fit; 0 is perfect.
    pub(crate) misfit: f32,
    /// Which of them were seen, corner first; one may be supposed only, where a finger or glare lies over it.
    pub(crate) seen: [bool; 3],
}

impl Triple {
    /// Whether all three finder patterns were seen.
    pub(crate) fn is_whole(&self) -> bool {
        self.seen == [true; 3]
    }

    /// The middle of the code.
    pub(crate) fn middle(&self) -> Point {
        (self.right.centre + self.below.centre) * 0.5
    }

    /// The finder patterns, corner first.
    pub(crate) fn finders(&self) -> [Finder; 3] {
        [self.corner, self.right, self.below]
    }
}

/// More finder patterns of one polarity than this are not combined.
const MAX_FINDERS: usize = 24;
/// A triple that fits worse is none.
const MAX_MISFIT: f32 = 1.0;
/// Two patterns that fit worse are no pair.
const MAX_PAIR_MISFIT: f32 = 0.5;

/// Keeps of each polarity the finder patterns that are the likeliest, the best first.
///
/// A tiled wall can hold more squares in squares than a code has finder patterns, so which were found first says nothing.
pub(crate) fn sift(finders: &mut Vec<Finder>) {
    finders.sort_unstable_by(|a, b| a.error.total_cmp(&b.error).then(a.centre.x.total_cmp(&b.centre.x)));
    let mut counts = [0; 2];
    finders.retain(|finder| {
        let count = &mut counts[usize::from(finder.inverted)];
        *count += 1;
        *count <= MAX_FINDERS
    });
}

/// Adds the triples among `finders` to `out`, the best first.
pub(crate) fn combine(finders: &[Finder], out: &mut Vec<Triple>) {
    out.clear();
    let mut seen = [(0, Sight::default()); 2 * MAX_FINDERS];
    for &corner in finders {
        let mut count = 0;
        for (at, other) in finders.iter().enumerate() {
            if count < seen.len()
                && other.centre != corner.centre
                && other.inverted == corner.inverted
                && let Some(sight) = Sight::between(&corner, other)
            {
                seen[count] = (at, sight);
                count += 1;
            }
        }
        for (j, across) in &seen[..count] {
            for (k, down) in &seen[..count] {
                if j != k {
                    out.extend(triple(corner, (finders[*j], *across), (finders[*k], *down)));
                }
            }
        }
    }
    out.sort_unstable_by(|a, b| a.misfit.total_cmp(&b.misfit).then(a.corner.centre.x.total_cmp(&b.corner.centre.x)));
}

/// How two patterns see each other.
#[derive(Debug, Clone, Copy, Default)]
struct Sight {
    modules: f32,
    off: f32,
    unlike: f32,
}

impl Sight {
    fn between(a: &Finder, b: &Finder) -> Option<Self> {
        let unlike = similar(a.module_px, b.module_px)?;
        let (modules, off) = sees(a, b)?;
        Some(Self { modules, off, unlike })
    }
}

fn triple(corner: Finder, (right, across): (Finder, Sight), (below, down): (Finder, Sight)) -> Option<Triple> {
    let (u, v) = (right.centre - corner.centre, below.centre - corner.centre);
    if u.cross(v) <= 0.25 * u.length() * v.length() {
        return None;
    }
    let disagreement = (across.modules / down.modules).ln().abs();
    let misfit = across.off
        + down.off
        + disagreement
        + 0.3 * (across.unlike + down.unlike)
        + corner.error
        + right.error
        + below.error;
    let span_modules = (across.modules * down.modules).sqrt();
    (disagreement < 0.45 && misfit < MAX_MISFIT && (9.0..190.0).contains(&span_modules)).then_some(Triple {
        corner,
        right,
        below,
        span_modules,
        misfit,
        seen: [true; 3],
    })
}

/// Adds to `out` the triples of which only two among `finders` were seen, the best first, at most `most`.
pub(crate) fn suppose(finders: &[Finder], most: usize, out: &mut Vec<Triple>) {
    out.clear();
    for (at, &a) in finders.iter().enumerate() {
        for (k, &b) in finders.iter().enumerate() {
            if at != k && a.inverted == b.inverted {
                out.extend(beside(a, b).into_iter().flatten());
                out.extend(opposite(a, b));
            }
        }
    }
    out.sort_unstable_by(|a, b| a.misfit.total_cmp(&b.misfit).then(a.corner.centre.x.total_cmp(&b.corner.centre.x)));
    out.truncate(most);
}

/// `a` in the corner with `b` to the right of it, or below it.
fn beside(a: Finder, b: Finder) -> Option<[Triple; 2]> {
    let size = similar(a.module_px, b.module_px)?;
    let (span_modules, off) = sees(&a, &b)?;
    let misfit = off + 0.3 * size + a.error + b.error;
    if misfit > MAX_PAIR_MISFIT || !(13.0..190.0).contains(&span_modules) {
        return None;
    }
    let way = b.centre - a.centre;
    let down = (downward(&a, way) + downward(&b, way)) * (0.5 * span_modules);
    let supposed = |by: Point| Finder { centre: a.centre + by, corners: a.corners.map(|corner| corner + by), ..a };
    let (below, right) = (supposed(down), supposed(down * -1.0));
    Some([
        Triple { corner: a, right: b, below, span_modules, misfit, seen: [true, true, false] },
        Triple { corner: a, right, below: b, span_modules, misfit, seen: [true, false, true] },
    ])
}

/// The axis of a pattern that is a quarter turn clockwise of `way`, a module long.
fn downward(finder: &Finder, way: Point) -> Point {
    let (x, y) = axes(finder);
    let turned = Point::new(-way.y, way.x);
    let candidates = [x, y, x * -1.0, y * -1.0];
    candidates.into_iter().max_by(|a, b| a.dot(turned).total_cmp(&b.dot(turned))).unwrap_or(y)
}

/// `right` and `below` of a code whose corner was not seen.
fn opposite(right: Finder, below: Finder) -> Option<Triple> {
    let size = similar(right.module_px, below.module_px)?;
    let way = below.centre - right.centre;
    let (x, y) = axes(&right);
    let area = x.cross(y);
    let (across, down) = (way.cross(y) / area, x.cross(way) / area);
    let span_modules = 0.5 * (across.abs() + down.abs());
    let off = (across.abs() / down.abs()).ln().abs();
    let misfit = off + 0.3 * size + right.error + below.error;
    if misfit.is_nan() || misfit > MAX_PAIR_MISFIT || !(13.0..190.0).contains(&span_modules) {
        return None;
    }
    // Of the two ways along the axes, the corner is at the end of the one that keeps the turn clockwise.
    let (first, second) = (x * across, y * down);
    let by = if (first * -1.0).cross(way - first) > 0.0 { first } else { second };
    let corner = Finder { centre: right.centre + by, corners: right.corners.map(|corner| corner + by), ..right };
    Some(Triple { corner, right, below, span_modules, misfit, seen: [false, true, true] })
}

/// How differently large two patterns are; `None` when too much so for one code.
fn similar(a_px: f32, b_px: f32) -> Option<f32> {
    let unlike = (a_px / b_px).ln().abs();
    (unlike < 0.8).then_some(unlike)
}

/// The modules between two patterns and how far off their rows they see each other (0 is straight).
fn sees(a: &Finder, b: &Finder) -> Option<(f32, f32)> {
    let (there, there_off) = along(a, b.centre)?;
    let (back, back_off) = along(b, a.centre)?;
    Some(((there * back).sqrt(), there_off + back_off))
}

/// The way from a pattern's centre to `to` in its own modules, and how far off its axis it is.
fn along(finder: &Finder, to: Point) -> Option<(f32, f32)> {
    let (x_axis, y_axis) = axes(finder);
    let area = x_axis.cross(y_axis);
    let way = to - finder.centre;
    let (x, y) = ((way.cross(y_axis) / area).abs(), (x_axis.cross(way) / area).abs());
    let (modules, off) = (x.max(y), x.min(y) / x.max(y));
    (modules.is_finite() && off < 0.4).then_some((modules, off))
}

/// The axes of a pattern, a module long.
fn axes(finder: &Finder) -> (Point, Point) {
    let [a, b, c, d] = finder.corners;
    (((b - a) + (c - d)) * (1.0 / 14.0), ((d - a) + (c - b)) * (1.0 / 14.0))
}
