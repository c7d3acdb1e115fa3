//! The hub over real HTTP on loopback: what a gate, an attacker, a script and a reader see of it.

mod batches;
mod enrolment;
mod failure;
mod lists;
mod pages;
mod program;
mod time;
mod world;
