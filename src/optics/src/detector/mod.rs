//! Our own detector: finder patterns by rays, a grid that bends, modules in shades, error correction with erasures.
//!
//! Its parts, in the order of use: [`plane`] and [`threshold`] see pixels, [`find`] and [`finder`] find the corner
//! patterns, [`triple`] says which three belong together, [`grid`] lays a grid over them, [`symbol`] reads its modules.

mod find;
mod finder;
mod geometry;
mod grid;
mod plane;
mod symbol;
mod threshold;
mod triple;
