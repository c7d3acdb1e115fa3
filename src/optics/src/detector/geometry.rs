//! Points, quadrilaterals and projective maps of the plane: the little geometry that finding a code needs.
//!
//! A [`Homography`] takes module coordinates (the corner of the symbol is 0,0; the centre of its first module is
//! 0.5,0.5) to pixels (the centre of the first pixel is 0.5,0.5). Separate from what is found with it, so that the
//! numerics are tested alone. Invariant: a degenerate set of points gives `None`, never a map full of infinities.

/// A point or a vector, in pixels or modules.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl Point {
    pub(crate) const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    pub(crate) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    /// Positive when `other` lies clockwise of `self` on a picture whose y runs down.
    pub(crate) fn cross(self, other: Self) -> f32 {
        self.x * other.y - self.y * other.x
    }

    pub(crate) fn length(self) -> f32 {
        self.x.hypot(self.y)
    }

    pub(crate) fn distance(self, other: Self) -> f32 {
        (self - other).length()
    }
}

impl std::ops::Add for Point {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl std::ops::Sub for Point {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl std::ops::Mul<f32> for Point {
    type Output = Self;
    fn mul(self, by: f32) -> Self {
        Self::new(self.x * by, self.y * by)
    }
}

/// A line through `at` along the unit vector `along`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    at: Point,
    along: Point,
}

impl Line {
    /// The line nearest to all points (total least squares), or `None` for fewer than two places.
    pub(crate) fn fit(points: &[Point]) -> Option<Self> {
        let count = points.len() as f32;
        let at = points.iter().fold(Point::default(), |sum, &point| sum + point) * (1.0 / count);
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for &point in points {
            let from = point - at;
            xx += from.x * from.x;
            xy += from.x * from.y;
            yy += from.y * from.y;
        }
        if points.len() < 2 || xx + yy < 1e-3 {
            return None;
        }
        let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
        Some(Self { at, along: Point::new(angle.cos(), angle.sin()) })
    }

    /// Where two lines meet, unless they are nearly parallel.
    pub(crate) fn meet(self, other: Self) -> Option<Point> {
        let sine = self.along.cross(other.along);
        if sine.abs() < 0.2 {
            return None;
        }
        let reach = (other.at - self.at).cross(other.along) / sine;
        Some(self.at + self.along * reach)
    }
}

/// A projective map of the plane.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Homography {
    /// Row-major; the last entry is 1.
    m: [f32; 9],
}

/// A pair of points that a map should join, and how much it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tie {
    pub(crate) from: Point,
    pub(crate) to: Point,
    pub(crate) weight: f32,
}

impl Homography {
    /// The map that takes each `from` as near as may be to its `to`; exact for four ties in general position.
    pub(crate) fn fit(ties: &[Tie]) -> Option<Self> {
        let used = ties.iter().filter(|tie| tie.weight > 0.0);
        let from = Frame::around(used.clone().map(|tie| tie.from))?;
        let to = Frame::around(used.map(|tie| tie.to))?;
        let mut normal = [[0.0_f64; 9]; 8];
        for tie in ties {
            let (p, q) = (from.inside(tie.from), to.inside(tie.to));
            let weight = f64::from(tie.weight);
            let (x, y, u, v) = (f64::from(p.x), f64::from(p.y), f64::from(q.x), f64::from(q.y));
            add_equation(&mut normal, &[x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u], weight);
            add_equation(&mut normal, &[0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v], weight);
        }
        let h = solve(&mut normal)?;
        let inner = [h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1.0];
        Self::normalised(product(&to.outward(), &product(&inner, &from.inward())))
    }

    fn normalised(m: [f64; 9]) -> Option<Self> {
        let scale = m[8];
        let m = m.map(|entry| (entry / scale) as f32);
        (scale.abs() > 1e-12 && m.iter().all(|entry| entry.is_finite())).then_some(Self { m })
    }

    /// Where `point` goes.
    pub(crate) fn map(&self, point: Point) -> Point {
        let m = &self.m;
        let w = m[6] * point.x + m[7] * point.y + m[8];
        // A point on the horizon goes far away, not to infinity.
        let inverse = 1.0 / if w.abs() < 1e-6 { 1e-6 } else { w };
        Point::new(
            (m[0] * point.x + m[1] * point.y + m[2]) * inverse,
            (m[3] * point.x + m[4] * point.y + m[5]) * inverse,
        )
    }
}

/// Coordinates in which a set of points has its centre at 0 and a mean distance of about 1 (Hartley 1997).
struct Frame {
    centre: Point,
    scale: f32,
}

impl Frame {
    fn around(points: impl Iterator<Item = Point> + Clone) -> Option<Self> {
        let count = points.clone().count() as f32;
        let centre = points.clone().fold(Point::default(), |sum, point| sum + point) * (1.0 / count);
        let spread = points.map(|point| point.distance(centre)).sum::<f32>() / count;
        (spread > 1e-6 && spread.is_finite()).then_some(Self { centre, scale: 1.0 / spread })
    }

    fn inside(&self, point: Point) -> Point {
        (point - self.centre) * self.scale
    }

    fn inward(&self) -> [f64; 9] {
        let scale = f64::from(self.scale);
        let shift = |at: f32| -f64::from(at) * scale;
        [scale, 0.0, shift(self.centre.x), 0.0, scale, shift(self.centre.y), 0.0, 0.0, 1.0]
    }

    fn outward(&self) -> [f64; 9] {
        let scale = 1.0 / f64::from(self.scale);
        [scale, 0.0, f64::from(self.centre.x), 0.0, scale, f64::from(self.centre.y), 0.0, 0.0, 1.0]
    }
}

fn product(a: &[f64; 9], b: &[f64; 9]) -> [f64; 9] {
    std::array::from_fn(|at| (0..3).map(|k| a[at / 3 * 3 + k] * b[k * 3 + at % 3]).sum())
}

fn add_equation(normal: &mut [[f64; 9]; 8], row: &[f64; 9], weight: f64) {
    for (at, line) in normal.iter_mut().enumerate() {
        let factor = weight * row[at];
        line.iter_mut().zip(row).for_each(|(entry, value)| *entry += factor * value);
    }
}

/// Solves `N` equations in `N` unknowns, each row ending in its right side; `None` when they say too little.
fn solve(rows: &mut [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for at in 0..8 {
        let best = (at..8).max_by(|&a, &b| rows[a][at].abs().total_cmp(&rows[b][at].abs()))?;
        rows.swap(at, best);
        let pivot = rows[at];
        if pivot[at].abs() < 1e-10 {
            return None;
        }
        for row in rows.iter_mut().skip(at + 1) {
            let factor = row[at] / pivot[at];
            row.iter_mut().zip(&pivot).skip(at).for_each(|(entry, value)| *entry -= factor * value);
        }
    }
    let mut found = [0.0; 8];
    for at in (0..8).rev() {
        let known: f64 = (at + 1..8).map(|k| rows[at][k] * found[k]).sum();
        found[at] = (rows[at][8] - known) / rows[at][at];
    }
    Some(found)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    fn ties(map: impl Fn(Point) -> Point, points: &[(f32, f32)]) -> Vec<Tie> {
        let tie = |&(x, y): &(f32, f32)| Tie { from: Point::new(x, y), to: map(Point::new(x, y)), weight: 1.0 };
        points.iter().map(tie).collect()
    }

    #[test]
    fn a_projective_map_is_found_again_from_its_points() {
        let truth = Homography { m: [4.0, 0.3, 200.0, -0.2, 3.5, 90.0, 0.002, 0.001, 1.0] };
        let corners = [(0.0, 0.0), (7.0, 0.0), (7.0, 7.0), (38.0, 0.0), (45.0, 7.0), (0.0, 45.0), (7.0, 38.0)];
        let found = Homography::fit(&ties(|point| truth.map(point), &corners)).unwrap();
        let far = Point::new(45.0, 45.0);
        assert!(found.map(far).distance(truth.map(far)) < 0.05);
    }

    #[test]
    fn points_of_one_line_give_no_map() {
        let line = ties(|point| point * 3.0, &[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (5.0, 5.0)]);
        assert!(Homography::fit(&line).is_none());
        assert!(Homography::fit(&line[..1]).is_none());
    }

    #[test]
    fn lines_meet_where_they_were_drawn_to() {
        let flat = Line::fit(&[Point::new(0.0, 2.0), Point::new(4.0, 2.0), Point::new(9.0, 2.0)]).unwrap();
        let steep = Line::fit(&[Point::new(3.0, -1.0), Point::new(3.0, 5.0)]).unwrap();
        assert!(flat.meet(steep).unwrap().distance(Point::new(3.0, 2.0)) < 1e-4);
        assert!(flat.meet(flat).is_none());
        assert!(Line::fit(&[Point::new(1.0, 1.0)]).is_none());
    }
}
