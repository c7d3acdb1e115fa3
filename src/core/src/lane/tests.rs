//! A lane, driven event by event.

mod any_order;
mod gate;
mod scenarios;
