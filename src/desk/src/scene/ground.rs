//! The place behind the carrier: a wall with things on it, a floor, a person.
//!
//! It is there to be looked through: hard edges, dark and bright patches and
//! texture are what a reader must not take for a code. All of it reflects the
//! light of the place.

use super::random::{Random, cloud};
use super::sensor::Canvas;

/// How many posters, doors and poles stand on the wall.
const THINGS: usize = 9;

/// Paints the whole canvas.
pub(super) fn paint(canvas: &mut Canvas, random: &mut Random) {
    let (width, height) = canvas.size_f32();
    let texture = random.next();
    let wall = random.within(&(0.15..=0.45));
    let floor = random.within(&(0.08..=0.25));
    let horizon = random.within(&(0.7..=0.9)) * height;
    let things: [Thing; THINGS] = std::array::from_fn(|_| Thing::draw(width, height, random));
    let grain = height / 12.0;
    canvas.fill_lit(|x, y| {
        let mut reflects = if y < horizon { wall } else { floor };
        for thing in &things {
            if thing.covers(x, y) {
                reflects = thing.reflects;
            }
        }
        reflects * (0.8 + 0.4 * cloud(texture, x / grain, y / grain))
    });
}

/// Paints a person from the waist up, about where people stand.
pub(super) fn paint_person(canvas: &mut Canvas, random: &mut Random) {
    let (width, height) = canvas.size_f32();
    let middle = width * random.within(&(0.4..=0.6));
    let head = height * random.within(&(0.14..=0.2));
    let clothes = random.within(&(0.02..=0.4));
    let skin = random.within(&(0.2..=0.5));
    canvas.repaint_lit(|x, y| {
        let inside = |centre_y: f32, across: f32, up: f32| {
            let (dx, dy) = ((x - middle) / across, (y - centre_y) / up);
            dx * dx + dy * dy < 1.0
        };
        if inside(1.3 * head, 0.8 * head, head) {
            Some(skin)
        } else if inside(height, 2.4 * head, height - 2.1 * head) {
            Some(clothes)
        } else {
            None
        }
    });
}

#[derive(Debug)]
struct Thing {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
    reflects: f32,
}

impl Thing {
    fn draw(width: f32, height: f32, random: &mut Random) -> Self {
        let (left, top) = (width * random.unit(), height * random.unit());
        Self {
            left,
            top,
            right: left + width * random.within(&(0.01..=0.2)),
            bottom: top + height * random.within(&(0.05..=0.7)),
            reflects: random.within(&(0.03..=0.7)),
        }
    }

    fn covers(&self, x: f32, y: f32) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }
}
