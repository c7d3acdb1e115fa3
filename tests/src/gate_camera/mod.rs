//! A gate's camera, simulated: codes on phones and paper under the conditions that defeat decoders, from a seed.
//!
//! Regression sets for the reader are made here, and its comparison with other decoders. It draws light, in linear
//! units, from the code on its carrier to the numbers of a sensor: pose, paper that is not flat, shadow and glare, the
//! pulse and the pixels of a screen, focus and motion, exposure and bloom, noise, JPEG. Each [`Condition`] has a
//! severity from 0 to 1, at which a good decoder falls from all to next to none. Separate from the scenes of the
//! desk tool, which show a gate as it should be. Invariants: the same seed gives the same bytes on one machine; what
//! decides whether a code can be read is in the frame (it is never out of view), save where a finger lies on it.

mod carrier;
mod condition;
mod lens;
mod light;
mod negative;
mod pose;
mod sensor;
mod sequence;

pub use condition::Condition;
use condition::Setup;
use menshen::scene::random::Random;
pub use negative::negative;
pub use sequence::sequence;

/// One frame and what the code in it says.
#[derive(Debug, Clone)]
pub struct Shot {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// Row by row, 0 black to 255 white.
    pub luma: Vec<u8>,
    /// What the code says; `None` where there is no code.
    pub text: Option<String>,
}

/// A frame of one code under `condition`; `severity` from 0 to 1.
pub fn frame(condition: Condition, severity: f32, seed: u64) -> Shot {
    let mut random = Random::new(seed);
    let text = text(&mut random);
    let setup = Setup::draw(condition, severity, &text, &mut random);
    shoot(&setup, text, &mut random)
}

fn shoot(setup: &Setup, text: String, random: &mut Random) -> Shot {
    let scene = light::scene(setup, random);
    let seen = lens::blur(scene, setup);
    let luma = sensor::expose(seen, setup, random);
    Shot { width: setup.width, height: setup.height, luma, text: Some(text) }
}

/// The symbols of Base45 (RFC 9285).
const BASE45: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// A text of the shape and length of a pass.
fn text(random: &mut Random) -> String {
    let length = 200 + random.below(100);
    let symbols = (0..length).map(|_| char::from(BASE45[random.below(BASE45.len())]));
    // Other tools strip spaces at the ends of what they read.
    "MS1:".chars().chain(symbols).chain(['A']).collect()
}

/// A frame before the sensor: light, 1 is what just fills a well at an exposure of 1.
#[derive(Debug, Clone)]
struct Light {
    width: usize,
    height: usize,
    of: Vec<f32>,
}
