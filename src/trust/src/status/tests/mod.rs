//! Lists and deltas against a map, and any bytes against the readers.

mod bytes;
mod model;

use super::*;
use menshen_core::ids::IssuerId;
use menshen_core::status::Tag;
use std::fs::File;
use std::io::{Seek, Write};

const ZHEJIANG: u32 = 330_000;

fn id(code: u32) -> IssuerId {
    IssuerId::new(code).expect("six digits")
}

fn about(seq: u64) -> About {
    About { issuer: id(ZHEJIANG), seq, as_of: as_of(seq) }
}

/// An issuer that publishes every hour.
fn as_of(seq: u64) -> u64 {
    1_600_000_000 + 3600 * seq
}

/// The tag of the holder of a number.
fn tag(number: u64) -> Tag {
    let mut holder = [0; 16];
    holder[..8].copy_from_slice(&number.to_be_bytes());
    Tag::of_holder(id(ZHEJIANG), &holder)
}

fn list_bytes(about: About, entries: &[(Tag, Status)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_list(&mut bytes, about, entries.iter().copied()).expect("hashes without a contradiction");
    bytes
}

/// A file of these bytes that has no name.
fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("there is room");
    file.write_all(bytes).expect("there is room");
    file.rewind().expect("a file");
    file
}

fn open(bytes: &[u8]) -> Result<StatusList, StatusError> {
    StatusList::of(file_of(bytes))
}

fn list(about: About, entries: &[(Tag, Status)]) -> StatusList {
    open(&list_bytes(about, entries)).expect("a good list")
}

fn delta(seq: u64, changes: &[(u64, Change)]) -> Delta {
    Delta::new(about(seq), changes.iter().map(|(number, change)| (tag(*number), *change))).expect("one change a tag")
}

const RED: Status = Status::Overridden(Colour::Red);
const GREEN: Status = Status::Overridden(Colour::Green);
