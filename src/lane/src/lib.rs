//! The runtime of one gate, without any hardware.
//!
//! Threads, files and sockets are here; what a gate decides is in `menshen-core`; what a gate is wired
//! to is in `menshen-gate`. Data flow one way: a camera port gives frames, [`optics`] makes payloads,
//! the core makes a decision, [`journal`] makes it durable, and only then do outputs and the panel learn
//! of it. Only acks come back, through the sync agent.
#![forbid(unsafe_code)]

pub mod aim;
pub mod device_key;
pub mod display;
pub use menshen_trust::durable;
pub mod health;
pub mod hint;
pub mod history;
pub mod hub_link;
pub mod journal;
pub mod moment;
pub use menshen_optics as optics;
pub mod panel;
pub mod policy_file;
pub mod ports;
pub mod probe;
pub mod proof;
pub mod rules;
pub mod run;
pub mod settings;
pub mod sound;
pub mod sync;
pub mod tally;
pub mod threads;
pub mod trust;
pub mod view;
pub mod words;
