//! The gate's screen without a browser: the panel's verdict and bar as a picture, painted by the gate itself.
//!
//! A browser needs a quarter of a gigabyte and half a minute; a board with 512 MB that must be ready seconds after power
//! has neither. So the same words ([`crate::words`], chosen by the rules of the page), drawings and colours are laid out,
//! painted into memory and handed to a [`Display`](crate::ports::Display), which is a port like any other: it may vanish
//! and come back. decision 22 has the reasons for doing it so.
//!
//! ```text
//! Screen, Device → Shown, Bar → told (which texts) → layout (where) → Scene → Canvas → what changed → Display
//! ```
//!
//! Invariants: the gate never waits for a screen; a screen that is not told of the gate for six seconds shows no verdict;
//! when the gate ends it is dark; nothing that is about one person stays for longer than a minute, or is painted onto
//! something that keeps it.

mod canvas;
mod curve;
mod face;
mod flow;
mod layout;
mod say;
mod scene;
mod signs;
mod told;
mod watcher;

pub use canvas::{Canvas, luma};
pub use face::{TYPE_BYTES, has as type_has};
pub use layout::lay_out;
pub use scene::Scene;
pub use told::{Shown, State};
pub use watcher::DisplayWatcher;

#[cfg(test)]
mod tests;
