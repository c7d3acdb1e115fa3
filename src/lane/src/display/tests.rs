//! Screens as people see them: that what is drawn stays as it is, fits on every screen, and is told apart without colours.
//!
//! `gallery` has the screens; `golden` compares each with its picture in `tests/golden`, `fits` looks at where everything
//! is on screens of many sizes, `shapes` at what is left of verdicts without colours, `coverage` at the type.

mod coverage;
mod fits;
mod gallery;
mod golden;
mod shapes;
mod twins;

pub(super) use gallery::fine;
