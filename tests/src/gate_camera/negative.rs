//! Frames without a code, of what gates see and of what looks like parts of a code.

use super::{Light, Shot, condition, lens, sensor};
use condition::{Condition, Setup};
use menshen::scene::random::{Random, cloud, lattice};

/// A frame without a code.
pub fn negative(seed: u64) -> Shot {
    let mut random = Random::new(seed ^ 0x4E45_4741_5449_5645);
    // The camera's own habits are those of any frame.
    let mut setup = Setup::draw(Condition::Clean, 0.0, "nothing", &mut random);
    if random.unit() < 0.3 {
        setup.exposure = 0.08;
        setup.gain = 6.0;
    }
    setup.defocus_px = 2.0 * random.unit();
    let pattern = PATTERNS[random.below(PATTERNS.len())];
    let (seed, size) = (random.next(), 3.0 + 12.0 * random.unit());
    let (sine, cosine) = (0.6 * random.unit() - 0.3).sin_cos();
    let (width, height) = (setup.width, setup.height);
    let light = |at: usize| {
        let (x, y) = ((at % width) as f32, (at / width) as f32);
        let (u, v) = ((cosine * x - sine * y) / size, (sine * x + cosine * y) / size);
        let ground = 0.1 + 0.6 * cloud(seed, x / 60.0, y / 60.0);
        ground * (0.25 + 0.75 * pattern(seed, u, v))
    };
    let scene = Light { width, height, of: (0..width * height).map(light).collect() };
    let luma = sensor::expose(lens::blur(scene, &setup), &setup, &mut random);
    Shot { width, height, luma, text: None }
}

/// The share of light at a point of a pattern whose grain is 1.
type Pattern = fn(u64, f32, f32) -> f32;

const PATTERNS: [Pattern; 10] = [plain, cloth, bricks, print, checks, net, bars, squares, blocks, leaves];

fn plain(_: u64, _: f32, _: f32) -> f32 {
    1.0
}

fn cloth(_: u64, u: f32, v: f32) -> f32 {
    0.7 + 0.15 * (u * 3.0).sin() + 0.15 * (v * 3.0).sin()
}

fn bricks(seed: u64, u: f32, v: f32) -> f32 {
    let row = (v / 3.0).floor();
    let u = u + if row.rem_euclid(2.0) == 0.0 { 0.0 } else { 3.5 };
    let mortar = v.rem_euclid(3.0) < 0.4 || u.rem_euclid(7.0) < 0.4;
    if mortar { 1.0 } else { 0.3 + 0.3 * lattice(seed, (u / 7.0).floor() as i32, row as i32) }
}

/// Lines of letters.
fn print(seed: u64, u: f32, v: f32) -> f32 {
    let line = v.rem_euclid(4.0) < 2.2;
    let stroke = lattice(seed, (u * 1.5).floor() as i32, (v * 1.5).floor() as i32) < 0.5;
    let gap = lattice(seed ^ 1, (u / 6.0).floor() as i32, (v / 4.0).floor() as i32) < 0.2;
    if line && stroke && !gap { 0.05 } else { 1.0 }
}

fn checks(_: u64, u: f32, v: f32) -> f32 {
    f32::from(u8::from((u.floor() + v.floor()).rem_euclid(2.0) == 0.0))
}

fn net(_: u64, u: f32, v: f32) -> f32 {
    if u.rem_euclid(4.0) < 1.0 || v.rem_euclid(4.0) < 1.0 { 0.1 } else { 1.0 }
}

/// The bars of a linear code.
fn bars(seed: u64, u: f32, _: f32) -> f32 {
    if lattice(seed, u.floor() as i32, 0) < 0.5 { 0.05 } else { 1.0 }
}

/// Squares in squares, as finder patterns are, without a code.
fn squares(seed: u64, u: f32, v: f32) -> f32 {
    let (i, j) = ((u / 14.0).floor(), (v / 14.0).floor());
    if lattice(seed, i as i32, j as i32) < 0.6 {
        return 1.0;
    }
    let ring = (u.rem_euclid(14.0) - 7.0).abs().max((v.rem_euclid(14.0) - 7.0).abs());
    if ring < 1.5 || (2.5..3.5).contains(&ring) { 0.05 } else { 1.0 }
}

/// Modules at random, as a code of another kind has.
fn blocks(seed: u64, u: f32, v: f32) -> f32 {
    let inside = u.rem_euclid(60.0) < 40.0 && v.rem_euclid(60.0) < 40.0;
    if inside && lattice(seed, u.floor() as i32, v.floor() as i32) < 0.5 { 0.05 } else { 1.0 }
}

fn leaves(seed: u64, u: f32, v: f32) -> f32 {
    cloud(seed, u, v) * cloud(seed ^ 7, 2.0 * u, 2.0 * v)
}
