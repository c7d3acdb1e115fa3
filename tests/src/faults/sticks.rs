//! What reaches a gate that stands apart from its authority: publications, and the sticks that carry them.

use super::world::World;
use menshen::authority::Authority;
use menshen::moment;
use menshen_core::ids::IssuerId;
use menshen_core::status::{Status, Tag};
use menshen_lane::trust::STICK_FOLDER;
use menshen_trust::names::Target;
use menshen_trust::publish::Repository;
use menshen_trust::status::{About, write_list};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder that the gate came with, beside the authority's.
const GATE_FOLDER: &str = "gate-trust";
/// Who always has something new to say.
const NEWSY: u32 = 420_000;

/// Gives the gate a trust folder of its own: a copy of what is published now.
pub fn part_from_authority(world: &World) {
    let own = world.path(GATE_FOLDER);
    copy(&world.path("trust/repository"), &own.join("repository"));
    fs::copy(world.path("trust/root.json"), own.join("root.json")).expect("both folders are ours");
    use_own_folder(world);
}

/// Names the gate's own trust folder in a site file that was written anew.
pub fn use_own_folder(world: &World) {
    let site = fs::read_to_string(world.site_file()).expect("it was written");
    let parted = site.replace("trust = \"trust\"", &format!("trust = \"{GATE_FOLDER}\""));
    assert_ne!(parted, site, "the site names its trust folder");
    fs::write(world.site_file(), parted).expect("the folder is ours");
}

/// Lets the authority in a folder edit and publish as of `now`, also what no gate would believe; gives the version.
pub fn publish_at(authority: &Path, now: u64, edit: impl FnOnce(&mut Repository)) -> u64 {
    let authority = Authority::open(authority).expect("the folder has an authority");
    let mut repository = authority.repository().expect("it publishes");
    edit(&mut repository);
    let keyring = authority.keyring(&[]).expect("it has its keys");
    repository.publish_untried(&keyring, now).expect("every key is at hand").version
}

/// Lets the world's authority edit and publish.
pub fn publish(world: &World, edit: impl FnOnce(&mut Repository)) -> u64 {
    publish_at(&world.path("trust"), moment::now(), edit)
}

/// Lets the world's authority publish anything new.
pub fn publish_news(world: &World) -> u64 {
    publish(world, put_news)
}

/// Anything new.
pub fn put_news(repository: &mut Repository) {
    let number = repository.paths(&NEWSY.to_string()).len() as u64 + 1;
    put_list(repository, NEWSY, number, 1);
}

/// Lets a province publish a status list of a number with so many entries that speak of nobody.
pub fn put_list(repository: &mut Repository, province: u32, seq: u64, entries: u64) {
    let issuer = IssuerId::new(province).expect("six digits");
    let about = About { issuer, seq, as_of: moment::now() };
    // Evenly spread, as hashes are.
    let tag = |n: u64| Tag::from_number(n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(seq));
    let mut bytes = Vec::new();
    write_list(&mut bytes, about, (0..entries).map(|n| (tag(n), Status::Revoked))).expect("a vector grows");
    repository.put(&province.to_string(), &Target::Snapshot(issuer, seq).path(), &bytes).expect("the folder is ours");
}

/// A stick, first on a desk and then in the gate.
pub struct Stick {
    desk: PathBuf,
    port: PathBuf,
}

impl Stick {
    /// A stick with what a folder publishes, on the desk.
    pub fn of(world: &World, name: &str, repository: &Path) -> Stick {
        let (desk, port) = (world.path(format!("desk/{name}")), world.state().join("sticks").join(name));
        fs::create_dir_all(world.state().join("sticks")).expect("the folder is ours");
        if desk.exists() {
            fs::remove_dir_all(&desk).expect("the folder is ours");
        }
        copy(repository, &desk.join(STICK_FOLDER));
        Stick { desk, port }
    }

    /// A stick with what the world's authority publishes now.
    pub fn new(world: &World, name: &str) -> Stick {
        Stick::of(world, name, &world.path("trust/repository"))
    }

    /// Changes a file of it by its path in the repository, wherever the stick is.
    pub fn change(&self, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.place().join(STICK_FOLDER).join(file);
        let mut bytes = fs::read(&path).expect("the file is on the stick");
        change(&mut bytes);
        fs::write(path, bytes).expect("the folder is ours");
    }

    /// A folder of its repository, wherever the stick is.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.place().join(STICK_FOLDER).join(name)
    }

    /// Puts it in.
    pub fn put_in(&self) {
        fs::rename(&self.desk, &self.port).expect("it is on the desk, and nothing is in its place");
    }

    /// Pulls it out.
    pub fn pull_out(&self) {
        fs::rename(&self.port, &self.desk).expect("it is in");
    }

    fn place(&self) -> &Path {
        if self.port.exists() { &self.port } else { &self.desk }
    }
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("the folder is there").map(|entry| entry.expect("it is readable")) {
        let place = to.join(entry.file_name());
        if entry.file_type().expect("it is readable").is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).expect("the folder is ours");
        }
    }
}
