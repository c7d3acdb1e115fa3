//! Power cuts within an import, seeded: at every step, with whatever was not yet on stable storage lost or torn.
//!
//! The import is stopped by a panic at a step, so that nothing after it runs. Then the disk is treated as a card is by
//! a power cut: a file that was not yet made durable is cut anywhere or filled with zeros, and a new name that was not
//! yet made durable may be gone. What starts afterwards must believe the old or the new, whole.

use super::country::*;
use menshen_trust::vault::{Believed, Import, Now, Step, Steps};
use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

const CUTS: u64 = 320;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Everything that is believed, to be compared.
fn whole(believed: &Believed) -> (u64, Vec<u32>, Vec<Option<u64>>, bool) {
    let content = believed.list.content();
    let codes = content.issuers.iter().map(|issuer| issuer.id.code()).collect();
    let lists = [ZHEJIANG, HANGZHOU, HENAN].map(|code| list_of(believed, code)).to_vec();
    (content.version, codes, lists, believed.roles.iter().all(|role| role.held_back.is_none()))
}

/// How many steps an import of this stick has.
fn steps_of(gate: &Gate, stick: &Stick) -> u64 {
    let count = Cell::new(0);
    let steps = Steps::new(|_| {
        count.set(count.get() + 1);
        Ok(())
    });
    assert!(matches!(gate.vault().import(stick.source(), Now::about(NOW + DAY), &steps), Ok(Import::New(_))));
    count.get()
}

/// Cuts the power at a step; gives which it was.
fn cut(gate: &Gate, stick: &Stick, at: u64) -> Step {
    let (count, last) = (Cell::new(0), Cell::new(Step::Verified));
    let steps = Steps::new(|step| {
        last.set(step);
        count.set(count.get() + 1);
        if count.get() > at {
            // Unlike a panic it says nothing, so whatever another test has to say is heard.
            resume_unwind(Box::new("the power is cut here"));
        }
        Ok(())
    });
    let vault = gate.vault();
    let cut = catch_unwind(AssertUnwindSafe(|| vault.import(stick.source(), Now::about(NOW + DAY), &steps)));
    assert!(cut.is_err(), "the import has {at} steps or more");
    last.get()
}

/// What a power cut does to files that were not made durable.
fn tear(dir: &Path, step: Step, random: &mut Random) {
    let unfinished = |path: &PathBuf| path.extension().is_some_and(|end| end == "part" || end == "new");
    for path in fs::read_dir(dir.join("files")).expect("reads").flatten().map(|entry| entry.path()) {
        if !unfinished(&path) {
            continue;
        }
        let bytes = fs::read(&path).expect("reads");
        match (step, random.below(4)) {
            // Synced, so it is whole; but its name is only that of a part.
            (Step::FileDurable, _) | (_, 0) => {}
            (_, 1) => fs::remove_file(&path).expect("removes"),
            (_, 2) => fs::write(&path, vec![0; bytes.len()]).expect("writes"),
            _ => fs::write(&path, &bytes[..random.below(bytes.len() as u64 + 1) as usize]).expect("writes"),
        }
    }
    if step == Step::FileNamed && random.below(2) == 0 {
        // The new name was in memory only: the newest file is a part again.
        let newest = fs::read_dir(dir.join("files")).expect("reads").flatten().map(|entry| entry.path());
        let newest = newest.max_by_key(|path| fs::metadata(path).and_then(|meta| meta.modified()).expect("is there"));
        let newest = newest.expect("a file was named just now");
        fs::rename(&newest, newest.with_extension("part")).expect("renames");
    }
    // A replacement that was being written when it happened.
    let half: Vec<u8> = (0..random.below(200)).map(|_| random.next() as u8).collect();
    fs::write(dir.join("generation.new"), half).expect("writes");
}

#[test]
fn after_a_power_cut_at_any_step_the_old_or_the_new_is_believed_whole() {
    let seed = 4;
    println!("seed {seed}, {CUTS} cuts");
    let country = Country::new();
    let old = country.stick();
    let edit = |repository: &mut menshen_trust::publish::Repository| {
        put_issuers(repository, "330000", id(ZHEJIANG), &[HANGZHOU, 330_200]);
        for code in [ZHEJIANG, HANGZHOU, HENAN] {
            put_list(repository, code, 2);
            put_delta(repository, code, 3, NOW + DAY);
        }
    };
    country.publish(NOW + DAY, edit).expect("publishes");
    let new = country.stick();
    let twin = Gate::new(&country);
    let before = whole(&twin.believes(&old, NOW));
    let steps = steps_of(&twin, &new);
    let after = whole(&twin.restarted());
    assert_ne!(before, after);
    let mut random = Random(seed);
    let (mut olds, mut news) = (0, 0);
    let mut wrong = Vec::new();
    for number in 0..CUTS {
        let gate = Gate::new(&country);
        gate.believes(&old, NOW);
        let step = cut(&gate, &new, number % steps);
        tear(gate.dir(), step, &mut random);
        let found = whole(&gate.restarted());
        match &found {
            found if *found == before => olds += 1,
            found if *found == after => news += 1,
            _ => wrong.push(format!("cut {number} at {step:?}: {found:?}")),
        }
        // And the import that was cut off can be done to its end.
        gate.import(&new, NOW + DAY).expect("the stick is good");
        if whole(&gate.restarted()) != after {
            wrong.push(format!("cut {number} at {step:?}: the import after it"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(olds > 0 && news > 0, "{olds} old, {news} new");
    println!("{steps} steps; {olds} believed the old, {news} the new");
}
