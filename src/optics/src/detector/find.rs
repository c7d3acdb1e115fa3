//! Where finder patterns may be: rows of a picture are searched for dark and light in the ratio 1 : 1 : 3 : 1 : 1.
//!
//! The search is the one thing done to every frame, code or not, so it must be cheap: some rows only, in bits, both
//! polarities at once. What has the ratio in a row and in the column through its middle is put to the proof by
//! [`finder::inspect`](super::finder::inspect). Invariants: the time is bounded, however busy the picture (a bounded
//! number of proofs); nothing is allocated per frame once the buffers have grown.

use super::finder::{self, Finder};
use super::geometry::Point;
use super::plane::Plane;
use super::threshold::Field;

/// The most places of one picture that are put to the proof.
const MAX_PROOFS: usize = 140;

/// The most of them that were seen in one row only: nearly all of these are noise.
const MAX_SINGLE_PROOFS: usize = 60;

/// A finder pattern whose error is below this share of the known one's is better known now.
const BETTER: f32 = 0.8;

/// Searches pictures, keeping its buffers.
#[derive(Debug, Default)]
pub(crate) struct Search {
    bits: Vec<u64>,
    places: Vec<Place>,
}

/// What may be the centre of a finder pattern.
#[derive(Debug, Clone, Copy)]
struct Place {
    centre: Point,
    module_px: f32,
    inverted: bool,
    /// In how many rows it was seen.
    rows: u32,
}

impl Search {
    /// Adds to `found` the finder patterns of `plane`, as they lie on a picture `scale` times as large, unless they are
    /// there already. Gives the number of places that had the ratio in a row and a column.
    pub(crate) fn run(
        &mut self,
        plane: Plane<'_>,
        field: &Field,
        row_step: usize,
        scale: f32,
        found: &mut Vec<Finder>,
    ) -> usize {
        self.places.clear();
        for y in (row_step / 2..plane.height).step_by(row_step) {
            let Self { bits, places } = self;
            field.bits(plane, y, bits);
            scan(bits, plane.width, |edges, inverted| consider(plane, field, y, edges, inverted, places));
        }
        self.places.sort_unstable_by(|a, b| {
            let earlier = a.centre.y.total_cmp(&b.centre.y).then(a.centre.x.total_cmp(&b.centre.x));
            b.rows.cmp(&a.rows).then(earlier)
        });
        let begin = found.len();
        let single = self.places.iter().position(|place| place.rows == 1).unwrap_or(self.places.len());
        for place in self.places.iter().take(MAX_PROOFS.min(single + MAX_SINGLE_PROOFS)) {
            let is_near = |finder: &Finder| finder.centre.distance(place.centre * scale) < 2.0 * finder.module_px;
            if found[begin..].iter().any(is_near) {
                continue;
            }
            let proved = finder::inspect(plane, field, place.centre, place.module_px, place.inverted);
            let Some(finder) = proved.map(|finder| finder.scaled(scale)) else {
                continue;
            };
            // What another view saw too stays as it is seen best.
            let is_same = |other: &Finder| other.centre.distance(finder.centre) < 2.0 * other.module_px;
            match found.iter().position(is_same) {
                None => found.push(finder),
                Some(at) if at < begin && finder.error < BETTER * found[at].error => found[at] = finder,
                Some(_) => {}
            }
        }
        self.places.len()
    }
}

/// Calls `hit` with the six edges of every five runs in the ratio of a finder pattern; `true` when the runs at the ends
/// and in the middle are light.
fn scan(bits: &[u64], width: usize, mut hit: impl FnMut([u32; 6], bool)) {
    // The picture's own edge stands in for a quiet zone that it cuts off.
    let mut edges = [0_u32; 6];
    let mut count = 1_usize;
    let mut carry = bits.first().map_or(0, |word| word & 1);
    let mut dark = carry == 1;
    for (at, &word) in bits.iter().enumerate() {
        let mut changes = word ^ (word << 1 | carry);
        carry = word >> 63;
        while changes != 0 {
            let x = at * 64 + changes.trailing_zeros() as usize;
            changes &= changes - 1;
            if x >= width {
                break;
            }
            edges = [edges[1], edges[2], edges[3], edges[4], edges[5], x as u32];
            count += 1;
            // The run that ends here is the last of five, of the colour of the first and the middle one.
            if has_ratio(edges) && count >= 6 {
                hit(edges, !dark);
            }
            dark = !dark;
        }
    }
    edges = [edges[1], edges[2], edges[3], edges[4], edges[5], width as u32];
    if count >= 5 && has_ratio(edges) {
        hit(edges, !dark);
    }
}

/// Whether five runs are about 1 : 1 : 3 : 1 : 1. Light bleeds into dark, so it is distances between edges of one kind
/// that are compared: 2, 4, 4 and 2 modules. Each may be off by 0.22 of itself and 0.7 pixels.
fn has_ratio(edges: [u32; 6]) -> bool {
    let [e0, e1, e2, e3, e4, e5] = edges;
    let (middle, before, after) = (e3 - e2, e2 - e1, e4 - e3);
    if middle < before || middle < after {
        return false;
    }
    let spans = [e2 - e0, e3 - e1, e4 - e2, e5 - e3];
    let modules_12 = spans.iter().sum::<u32>();
    // In 1200ths of a module.
    let near =
        |span: u32, modules: u32| (1200 * span).abs_diff(100 * modules * modules_12) <= 22 * modules * modules_12 + 840;
    modules_12 >= 12 && near(spans[1], 4) && near(spans[2], 4) && near(spans[0], 2) && near(spans[3], 2)
}

/// Takes note of a place when its column has the ratio too.
fn consider(plane: Plane<'_>, field: &Field, y: usize, edges: [u32; 6], inverted: bool, places: &mut Vec<Place>) {
    let across_px = (edges[5] - edges[0]) as f32 / 7.0;
    let x = ((edges[2] + edges[3]) / 2) as usize;
    let Some((top, bottom)) = column(plane, field, x, y, across_px, inverted) else {
        return;
    };
    let here = Point::new((edges[2] + edges[3]) as f32 / 2.0, y as f32 + 0.5);
    let seen = |place: &&mut Place| {
        place.inverted == inverted
            && (place.centre.x - here.x).abs() < 1.2 * place.module_px
            && (place.centre.y - here.y).abs() < 2.0 * place.module_px
    };
    if let Some(place) = places.iter_mut().rev().take(64).find(seen) {
        place.rows += 1;
        return;
    }
    let down_px = (bottom[2] + top[2]) as f32 / 7.0;
    let middle = y as f32 + 0.5 + (bottom[0] as f32 - top[0] as f32) / 2.0;
    places.push(Place {
        centre: Point::new(here.x, middle),
        module_px: (across_px * down_px).sqrt(),
        inverted,
        rows: 1,
    });
}

/// The distances of the three edges above and below a pixel, when they have the ratio.
fn column(
    plane: Plane<'_>,
    field: &Field,
    x: usize,
    y: usize,
    module_px: f32,
    inverted: bool,
) -> Option<([u32; 3], [u32; 3])> {
    // Tilt makes a pattern up to some two and a half times as high as wide, or as low.
    let limits = [(module_px * 4.0) as usize + 2, (module_px * 2.7) as usize + 2];
    let up = walk::<false>(plane, field, (x, y), limits, inverted)?;
    let down = walk::<true>(plane, field, (x, y), limits, inverted)?;
    let middle = up[0] + down[0] - 1;
    let edges = [0, up[2] - up[1], up[2] - up[0], up[2] - up[0] + middle];
    let last = edges[3];
    let edges = [edges[0], edges[1], edges[2], last, last + down[1] - down[0], last + down[2] - down[0]];
    has_ratio(edges).then_some((up, down))
}

/// Walks down or up from a pixel until the third change of colour, for which the edge of the picture may stand in; gives
/// the steps at which they came. `limits` are the most steps to the first change, and from one to the next.
fn walk<const DOWN: bool>(
    plane: Plane<'_>,
    field: &Field,
    (x, y): (usize, usize),
    limits: [usize; 2],
    inverted: bool,
) -> Option<[u32; 3]> {
    let rows = if DOWN { plane.height - 1 - y } else { y };
    let mut changes = [0; 3];
    let mut count = 0;
    let mut last = limits[0];
    for step in 1..=rows {
        let row = if DOWN { y + step } else { y - step };
        let dark = (plane.pixel(x, row) < field.at(x, row)) != inverted;
        if dark != (count % 2 == 0) {
            changes[count] = step as u32;
            count += 1;
            last = step + limits[1];
            if count == 3 {
                return Some(changes);
            }
        } else if step >= last {
            return None;
        }
    }
    changes[2] = rows as u32 + 1;
    (count == 2).then_some(changes)
}
