//! A person brings a code to the camera: twelve frames, from too far and trembling to near, as live gates see them.

use super::condition::{Condition, Setup};
use super::{Shot, shoot, text};
use menshen::scene::random::Random;

/// The frames of one approach.
const FRAMES: usize = 12;

/// What may accompany an approach.
const COMPANY: [Condition; 9] = [
    Condition::Clean,
    Condition::Dark,
    Condition::Overexposed,
    Condition::Glare,
    Condition::Backlight,
    Condition::Shadow,
    Condition::Lowcontrast,
    Condition::Finger,
    Condition::Jpeg,
];

/// The frames of one approach of one code, in order.
pub fn sequence(seed: u64) -> Vec<Shot> {
    let mut random = Random::new(seed ^ 0x5345_5155_454E_4345);
    let text = text(&mut random);
    let company = COMPANY[random.below(COMPANY.len())];
    // How hard this one is: most people manage.
    let hardness = 0.1 + 0.6 * random.unit();
    let mut base = Setup::draw(Condition::Clean, 0.0, &text, &mut random);
    let fits_px = base.height as f32 * 0.8 / (base.carrier.size + 8) as f32;
    let nearest_px = (2.1 + 3.4 * random.unit()).min(fits_px);
    let mut angles = [20.0, 25.0, 20.0].map(|most: f32| most * (2.0 * random.unit() - 1.0));
    base.apply(company, 0.8 * hardness, &mut angles, &mut random);
    let shot = |number: usize| {
        let mut setup = base.clone();
        let way = number as f32 / (FRAMES - 1) as f32;
        setup.module_px = nearest_px * (0.45 + 0.55 * way.min(0.75) / 0.75);
        // It comes to rest, never quite.
        let speed = hardness * ((1.0 - way) * 1.2 + 0.35) * random.unit();
        let heading = std::f32::consts::TAU * random.unit();
        let length_px = 1.6 * speed * setup.module_px;
        setup.motion_px = (length_px * heading.cos(), length_px * heading.sin());
        let focus = (1.0 - way) * 0.75 + 0.45 * random.unit();
        setup.defocus_px = hardness * focus * setup.module_px;
        if let Some((x, y, ..)) = &mut setup.glare {
            *x += 0.3 * random.normal();
            *y += 0.3 * random.normal();
        }
        let angles = angles.map(|angle| angle * (1.2 - 0.5 * way) + 3.0 * random.normal());
        setup.place(angles, &mut random);
        shoot(&setup, text.clone(), &mut random)
    };
    (0..FRAMES).map(shot).collect()
}
