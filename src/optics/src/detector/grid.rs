//! The grid over a code: where on the picture the centre of each module is.
//!
//! The corners of three finder patterns give a projective map; the timing patterns say how many modules there are; the
//! alignment patterns pull the map right far from the finder patterns, and, on paper that is not flat, bend it piece
//! by piece. Separate from reading the modules' colours. Invariants: the size is one that a QR code can have
//! (ISO/IEC 18004 §6.3.1: 21 to 177 in steps of 4); a grid is made from the picture alone, without a guess at content.

use super::bend::Bend;
use super::geometry::{Homography, Point, Tie};
use super::plane::Plane;
use super::symbol;
use super::triple::Triple;

/// A grid laid over a code.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    /// Modules a side.
    pub(crate) size: usize,
    pub(crate) map: Homography,
    pub(crate) bend: Bend,
    /// How well the timing patterns agree, -1 to 1.
    pub(crate) timing: f32,
}

impl Grid {
    /// The version: 1 to 40.
    pub(crate) fn version(&self) -> u8 {
        ((self.size - 17) / 4) as u8
    }

    /// Where the point `x`, `y` of the symbol is on the picture; the centre of the first module is 0.5, 0.5.
    pub(crate) fn place(&self, x: f32, y: f32) -> Point {
        self.map.map(Point::new(x, y)) + self.bend.at(x, y)
    }
}

/// Lays the grids that may lie over three finder patterns, the likeliest first, into the first of `grids`, which grow as
/// needed and keep their buffers; gives how many.
pub(crate) fn over(plane: Plane<'_>, triple: &Triple, grids: &mut Vec<Grid>) -> usize {
    let estimate = triple.span_modules + 7.0;
    let nearest = ((estimate - 17.0) / 4.0).round() as i32;
    // Perspective and blur mislead the estimate by a tenth at most.
    let reach = 1 + (estimate / 40.0) as i32;
    let mut count = 0;
    for version in (nearest - reach).max(1)..=(nearest + reach).min(40) {
        let size = (17 + 4 * version) as usize;
        let Some(map) = Homography::fit(&ties(triple, size)) else {
            continue;
        };
        if count == grids.len() {
            grids.push(Grid::default());
        }
        let grid = &mut grids[count];
        (grid.size, grid.map) = (size, map);
        grid.bend.flatten();
        grid.timing = timing(plane, grid);
        count += 1;
    }
    grids[..count].sort_unstable_by(|a, b| b.timing.total_cmp(&a.timing).then(a.size.cmp(&b.size)));
    count
}

/// The corners of a finder pattern in modules, clockwise from its top left.
const CORNERS: [(f32, f32); 4] = [(0.0, 0.0), (7.0, 0.0), (7.0, 7.0), (0.0, 7.0)];

/// The ties between the finder patterns' corners and the picture, for a code of `size` modules.
fn ties(triple: &Triple, size: usize) -> [Tie; 12] {
    let far = (size - 7) as f32;
    let origins = [Point::new(0.0, 0.0), Point::new(far, 0.0), Point::new(0.0, far)];
    let x_axis = triple.right.centre - triple.corner.centre;
    let y_axis = triple.below.centre - triple.corner.centre;
    std::array::from_fn(|at| {
        let (finder, origin) = (triple.finders()[at / 4], origins[at / 4]);
        let first = first_corner(&finder.corners, x_axis, y_axis);
        let (x, y) = CORNERS[at % 4];
        let weight = if triple.seen[at / 4] { 1.0 } else { 0.0 };
        Tie { from: origin + Point::new(x, y), to: finder.corners[(first + at % 4) % 4], weight }
    })
}

/// Which of a finder pattern's corners is the top left one of the code.
fn first_corner(corners: &[Point; 4], x_axis: Point, y_axis: Point) -> usize {
    let agreement = |first: usize| {
        let corner = |at: usize| corners[(first + at) % 4];
        (corner(1) - corner(0)).dot(x_axis) / x_axis.length() + (corner(3) - corner(0)).dot(y_axis) / y_axis.length()
    };
    (0..4).max_by(|&a, &b| agreement(a).total_cmp(&agreement(b))).unwrap_or(0)
}

/// How well the modules of the timing patterns alternate: 1 when each differs from its neighbours by as much as any.
pub(crate) fn timing(plane: Plane<'_>, grid: &Grid) -> f32 {
    let line = |place: &dyn Fn(f32) -> Point| {
        let sample = |at: usize| plane.at(place(at as f32 + 0.5));
        let (mut agree, mut all) = (0.0, 1.0);
        for at in 8..grid.size - 8 {
            let step = sample(at) - 0.5 * (sample(at - 1) + sample(at + 1));
            agree += if at % 2 == 0 { -step } else { step };
            all += step.abs();
        }
        agree / all
    };
    let (across, down) = (line(&|at| grid.place(at, 6.5)).abs(), line(&|at| grid.place(6.5, at)).abs());
    // One of the two may lie under a finger.
    (0.5 * (across + down)).max(0.7 * across.max(down))
}

/// The most alignment patterns in a row (version 35 and up).
const MAX_ALIGNMENTS: usize = 7;
/// Ties of the finder patterns' corners, of the far alignment pattern, and of all of them.
type Ties = heapless::Vec<Tie, { 12 + 1 + MAX_ALIGNMENTS * MAX_ALIGNMENTS }>;

/// Pulls a grid right by the alignment patterns: the map as a whole, and, where it is bent, its pieces.
pub(crate) fn align(plane: Plane<'_>, triple: &Triple, grid: &mut Grid, inverted: bool) {
    let centres = symbol::alignment_centres(grid.version());
    let Some(&last) = centres.last() else {
        return;
    };
    let mut ties: Ties = ties(triple, grid.size).into_iter().collect();
    let far = f32::from(last) + 0.5;
    // The far corner first: it is where the map is worst, and all others lie between.
    let reach = if triple.is_whole() { 1.0 + grid.size as f32 * 0.07 } else { 2.0 + grid.size as f32 * 0.1 };
    if let Some(found) = alignment(plane, grid, Point::new(far, far), reach.min(7.0), inverted) {
        ties.extend([Tie { from: Point::new(far, far), to: found, weight: 4.0 }]);
        if let Some(map) = Homography::fit(&ties) {
            grid.map = map;
        }
    }
    if centres.len() > 2 {
        bend(plane, grid, centres, inverted, &mut ties);
    }
    grid.timing = timing(plane, grid);
}

/// Looks for every alignment pattern and bends the grid to where they are.
fn bend(plane: Plane<'_>, grid: &mut Grid, centres: &[u8], inverted: bool, ties: &mut Ties) {
    let count = centres.len();
    let line = |at: usize| f32::from(centres[at]) + 0.5;
    let mut found = [None; MAX_ALIGNMENTS * MAX_ALIGNMENTS];
    let found = &mut found[..count * count];
    for (at, slot) in found.iter_mut().enumerate() {
        let (i, j) = (at % count, at / count);
        let at_finder = [(0, 0), (0, count - 1), (count - 1, 0)].contains(&(i, j));
        let at = Point::new(line(i), line(j));
        if !at_finder && let Some(place) = alignment(plane, grid, at, 1.6, inverted) {
            *slot = Some(place);
            ties.extend([Tie { from: at, to: place, weight: 2.0 }]);
        }
    }
    if let Some(map) = Homography::fit(ties) {
        grid.map = map;
    }
    let map = grid.map;
    let off = |(at, found): (usize, &Option<Point>)| {
        found.map_or(Point::default(), |place| place - map.map(Point::new(line(at % count), line(at / count))))
    };
    grid.bend.lay((0..count).map(line), found.iter().enumerate().map(off));
}

/// An alignment pattern agrees with its template at least so much.
const LEAST_AGREEMENT: f32 = 0.55;

/// Looks for the alignment pattern that should be at `at` (modules), within `reach` modules.
fn alignment(plane: Plane<'_>, grid: &Grid, at: Point, reach: f32, inverted: bool) -> Option<Point> {
    let origin = grid.place(at.x, at.y);
    let x_axis = grid.place(at.x + 1.0, at.y) - origin;
    let y_axis = grid.place(at.x, at.y + 1.0) - origin;
    let agreement = |dx: f32, dy: f32| {
        let centre = origin + x_axis * dx + y_axis * dy;
        template(plane, centre, x_axis, y_axis) * if inverted { -1.0 } else { 1.0 }
    };
    // Five modules tell most places from an alignment pattern: the middle is darker than the ring around it.
    let may_be = |dx: f32, dy: f32| {
        let centre = origin + x_axis * dx + y_axis * dy;
        let ring = plane.at(centre + x_axis)
            + plane.at(centre - x_axis)
            + plane.at(centre + y_axis)
            + plane.at(centre - y_axis);
        let lighter = ring - 4.0 * plane.at(centre);
        if inverted { lighter < 0.0 } else { lighter > 0.0 }
    };
    let mut best = (f32::MIN, 0.0, 0.0);
    let mut step = 0.5;
    let steps = (reach / step) as i32;
    for j in -steps..=steps {
        for i in -steps..=steps {
            let (dx, dy) = (i as f32 * step, j as f32 * step);
            if !may_be(dx, dy) {
                continue;
            }
            // Between equals the nearer one.
            let score = agreement(dx, dy) - 0.02 * dx.hypot(dy);
            if score > best.0 {
                best = (score, dx, dy);
            }
        }
    }
    while step > 0.1 {
        step *= 0.5;
        let (_, x, y) = best;
        for (i, j) in
            [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0)]
        {
            let (dx, dy) = (x + i * step, y + j * step);
            let score = agreement(dx, dy) - 0.02 * dx.hypot(dy);
            if score > best.0 {
                best = (score, dx, dy);
            }
        }
    }
    let (score, dx, dy) = best;
    (score > LEAST_AGREEMENT).then(|| origin + x_axis * dx + y_axis * dy)
}

/// How much the 25 modules around `centre` look like an alignment pattern: their correlation with it, -1 to 1.
fn template(plane: Plane<'_>, centre: Point, x_axis: Point, y_axis: Point) -> f32 {
    let (mut sum, mut squares, mut signed) = (0.0, 0.0, 0.0);
    for j in -2_i32..=2 {
        for i in -2_i32..=2 {
            let value = plane.at(centre + x_axis * i as f32 + y_axis * j as f32);
            let dark = i.abs().max(j.abs()) != 1;
            sum += value;
            squares += value * value;
            signed += if dark { -value } else { value };
        }
    }
    // 17 dark and 8 light modules: the template's mean and spread.
    let mean = sum / 25.0;
    let spread = (squares - sum * mean).max(1.0).sqrt();
    (signed + 9.0 * mean) / (spread * TEMPLATE_SPREAD)
}

/// The root of the sum of squares of a template of -1 (17 times) and 1 (8 times) around its mean of -9/25.
const TEMPLATE_SPREAD: f32 = 4.664_76;
