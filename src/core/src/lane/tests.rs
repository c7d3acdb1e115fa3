//! A lane, driven event by event.

mod any_order;
mod by_hand;
mod faces;
mod gate;
mod queue;
mod scenarios;
mod stays;
mod trial;
