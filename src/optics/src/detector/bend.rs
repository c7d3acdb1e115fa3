//! How far the paper under a grid is from flat: displacements at control points, linear between them.
//!
//! Paper curls, cloth creases and lenses bend; one projective map can not follow. [`Bend`] adds what it misses.
//! [`Follower`] finds it without any landmark: from the finder patterns outward it moves each piece of the grid to where
//! its modules stand out most clearly from the threshold around them, because a sample between two modules is grey.
//! Separate from the grid, which knows only what the patterns of the standard say. Invariants: a piece is never moved
//! by so much against its neighbours that it could slip by a whole module; buffers are kept.

use super::equaliser::Known;
use super::geometry::Point;
use super::grid::Grid;
use super::plane::Plane;

/// A displacement at each crossing of lines of control points, the same lines across and down.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bend {
    /// Where the lines run, in modules, ascending. Fewer than two: flat.
    lines: Vec<f32>,
    /// By row, in pixels.
    by: Vec<Point>,
}

impl Bend {
    /// Makes it flat.
    pub(crate) fn flatten(&mut self) {
        self.lines.clear();
        self.by.clear();
    }

    /// Lays it anew: displacements `by` at the crossings of `lines`, row by row.
    pub(crate) fn lay(&mut self, lines: impl Iterator<Item = f32>, by: impl Iterator<Item = Point>) {
        self.flatten();
        self.lines.extend(lines);
        self.by.extend(by);
        debug_assert_eq!(self.lines.len() * self.lines.len(), self.by.len(), "a displacement for each crossing");
    }

    /// The displacement at `x`, `y` of the symbol; beyond the outer lines the outer pieces go on a little.
    pub(crate) fn at(&self, x: f32, y: f32) -> Point {
        let count = self.lines.len();
        if count < 2 {
            return Point::default();
        }
        let ((i, a), (j, b)) = (self.cell(x), self.cell(y));
        let along = |row: usize| self.by[row * count + i] * (1.0 - a) + self.by[row * count + i + 1] * a;
        along(j) * (1.0 - b) + along(j + 1) * b
    }

    /// The line before `at` and the share of the way to the next.
    fn cell(&self, at: f32) -> (usize, f32) {
        let inner = &self.lines[1..self.lines.len() - 1];
        let cell = inner.iter().take_while(|&&line| at > line).count();
        let (from, to) = (self.lines[cell], self.lines[cell + 1]);
        (cell, ((at - from) / (to - from)).clamp(-0.35, 1.35))
    }
}

/// What is known of a symbol's modules before its grid is bent, each row by row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hints<'a> {
    /// Luma of dark and of light around each module, for a code that is dark on light.
    pub(crate) levels: (&'a [f32], &'a [f32]),
    pub(crate) known: Known<'a>,
}

/// About how many modules lie between two control points.
const SPACING: f32 = 5.0;
/// The reach of a piece around its control point, in modules.
const PIECE: i32 = 3;
/// A module of known colour speaks so much louder than one that is only clear.
const KNOWN: f32 = 3.0;

/// By how many modules a piece is moved to look whether it is clearer there, in the rounds one after another.
const STEPS: [&[f32]; 2] = [&[0.36, 0.18, 0.09], &[0.18, 0.09]];

/// Bends grids, keeping its buffers.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    pieces: Vec<Piece>,
    order: Vec<u16>,
    /// By how many modules each piece was moved, once it was.
    moved: Vec<Option<(f32, f32)>>,
    by: Vec<Point>,
}

impl Follower {
    /// Bends `grid` to where its modules are clearest, from the finder patterns that were `seen` (corner, right, below).
    pub(crate) fn follow(&mut self, plane: Plane<'_>, grid: &mut Grid, seen: [bool; 3], hints: Hints<'_>) {
        let Self { pieces, order, moved, by } = self;
        let size = grid.size as f32;
        let count = (size / SPACING).round() as usize + 1;
        let line = |at: usize| size * at as f32 / (count - 1) as f32;
        pieces.clear();
        pieces.extend((0..count * count).map(|at| Piece::of(grid, line(at % count), line(at / count))));
        let far = size - 3.5;
        let finders = [Point::new(3.5, 3.5), Point::new(far, 3.5), Point::new(3.5, far)];
        let distance = |at: u16| {
            let seen = finders.iter().zip(seen).filter(|(_, seen)| *seen);
            seen.map(|(finder, _)| finder.distance(pieces[usize::from(at)].module)).fold(f32::MAX, f32::min)
        };
        order.clear();
        order.extend(0..pieces.len() as u16);
        order.sort_unstable_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)));
        moved.clear();
        moved.resize(pieces.len(), None);
        for (round, steps) in STEPS.into_iter().enumerate() {
            for at in order.iter().map(|&at| usize::from(at)) {
                let neighbours = neighbours(moved, count, at, round > 0);
                moved[at] = Some(pieces[at].best(plane, grid.size, hints, neighbours, steps));
            }
        }
        by.clear();
        by.extend(pieces.iter().enumerate().map(|(at, piece)| {
            let (dx, dy) = neighbours(moved, count, at, true);
            grid.bend.at(piece.module.x, piece.module.y) + piece.x_axis * dx + piece.y_axis * dy
        }));
        grid.bend.lay((0..count).map(line), by.iter().copied());
    }
}

/// The mean displacement of the pieces around one that have been moved, in modules; of itself too, and more, if wanted.
fn neighbours(moved: &[Option<(f32, f32)>], count: usize, at: usize, itself: bool) -> (f32, f32) {
    let (x, y) = ((at % count) as isize, (at / count) as isize);
    let (mut sum, mut weight) = ((0.0, 0.0), 0.0);
    for dy in -1..=1_isize {
        for dx in -1..=1_isize {
            let (i, j) = (x + dx, y + dy);
            let inside = |at: isize| at >= 0 && at < count as isize;
            if !inside(i) || !inside(j) || (dx == 0 && dy == 0 && !itself) {
                continue;
            }
            if let Some((a, b)) = moved[(j * count as isize + i) as usize] {
                let share = if dx == 0 && dy == 0 {
                    4.0
                } else if dx == 0 || dy == 0 {
                    1.0
                } else {
                    0.5
                };
                sum = (sum.0 + share * a, sum.1 + share * b);
                weight += share;
            }
        }
    }
    if weight > 0.0 { (sum.0 / weight, sum.1 / weight) } else { sum }
}

/// A piece of the grid: a control point and the axes there.
#[derive(Debug)]
struct Piece {
    module: Point,
    at: Point,
    x_axis: Point,
    y_axis: Point,
}

impl Piece {
    fn of(grid: &Grid, x: f32, y: f32) -> Self {
        // The piece's middle, kept a little inside so that it has modules all around.
        let reach = PIECE as f32;
        let inside = |at: f32| at.clamp(reach, grid.size as f32 - reach);
        let (mx, my) = (inside(x).floor() + 0.5, inside(y).floor() + 0.5);
        let at = grid.place(mx, my);
        let x_axis = (grid.place(mx + reach, my) - grid.place(mx - reach, my)) * (0.5 / reach);
        let y_axis = (grid.place(mx, my + reach) - grid.place(mx, my - reach)) * (0.5 / reach);
        Self { module: Point::new(mx, my), at, x_axis, y_axis }
    }

    /// Where this piece's modules are clearest, near `expected`, in modules.
    fn best(&self, plane: Plane<'_>, size: usize, hints: Hints<'_>, expected: (f32, f32), steps: &[f32]) -> (f32, f32) {
        let score = |(dx, dy): (f32, f32)| {
            let away = (dx - expected.0).hypot(dy - expected.1);
            self.clearness(plane, size, hints, dx, dy) * (1.0 - 0.25 * away * away)
        };
        let mut best = (score(expected), expected);
        for step in steps {
            let centre = best.1;
            for at in (0..9).filter(|&at| at != 4) {
                let there = (centre.0 + step * (at % 3 - 1) as f32, centre.1 + step * (at / 3 - 1) as f32);
                let score = score(there);
                if score > best.0 {
                    best = (score, there);
                }
            }
        }
        best.1
    }

    /// How clearly dark or light the modules of this piece are when it is moved by `dx`, `dy` modules.
    fn clearness(&self, plane: Plane<'_>, size: usize, hints: Hints<'_>, dx: f32, dy: f32) -> f32 {
        let (mx, my) = (self.module.x as i32, self.module.y as i32);
        let origin = self.at + self.x_axis * dx + self.y_axis * dy;
        let mut sum = 0.0;
        for j in -PIECE..=PIECE {
            let row = origin + self.y_axis * j as f32;
            for i in -PIECE..=PIECE {
                let (x, y) = (mx + i, my + j);
                if x < 0 || y < 0 || x >= size as i32 || y >= size as i32 {
                    continue;
                }
                let at = y as usize * size + x as usize;
                let (low, high) = (hints.levels.0[at], hints.levels.1[at]);
                let luma = plane.at(row + self.x_axis * i as f32);
                let luma = if hints.known.inverted { 255.0 - luma } else { luma };
                let shade = ((low + high - 2.0 * luma) / (high - low).max(4.0)).clamp(-1.0, 1.0);
                sum += match hints.known.fixed[at] {
                    0 => shade.abs(),
                    colour => KNOWN * shade * f32::from(colour),
                };
            }
        }
        sum
    }
}
