//! Bad publications, bad moments and bad lines: the gate goes on deciding on what it believed, says for what reason the
//! new is refused, and believes the next good publication, by whatever road it comes.

use menshen_core::clock::Source;
use menshen_core::ids::IssuerId;
use menshen_gate::clock::{ClockParts, GateClock, Teller};
use menshen_lane::health::Health;
use menshen_lane::run::Device;
use menshen_lane::threads::Stop;
use menshen_lane::trust::{Import, Keeper, KeeperConfig, Road, RoadState};
use menshen_tests::faults::nonsense::{Answer, Nonsense};
use menshen_tests::faults::process::{Program, get};
use menshen_tests::faults::random::Random;
use menshen_tests::faults::sticks::{
    Stick, copy, part_from_authority, publish, publish_at, publish_news, put_list, put_news, use_own_folder,
};
use menshen_tests::faults::until;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::{GREEN, World};
use menshen_trust::names::Target;
use menshen_trust::tuf::Refusal;
use menshen_trust::vault::{Believed, Vault};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const DAY_S: u64 = 86_400;
const PATIENCE: Duration = Duration::from_secs(30);
const ZHEJIANG: u32 = 330_000;
const HENAN: u32 = 410_000;
const SEED: u64 = 0x7472_7573;
/// Gates side by side, and how often each is killed.
const GATES: u64 = 3;
const KILLS: u64 = 15;

/// A gate with a trust folder of its own, which came with the first publication.
fn parted_world() -> World {
    let world = World::new();
    part_from_authority(&world);
    world
}

/// Shows a good pass, which must be admitted soon; gives after which wait.
#[track_caller]
fn admits_one(world: &mut World, gate: &Watched) -> Duration {
    let before = gate.seen().verdicts.len();
    let shown = world.show(GREEN);
    assert_eq!(gate.verdict(before + 1).verdict, "admit");
    let waited = gate.seen().verdicts[before].0.saturating_duration_since(shown);
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    waited
}

/// Waits until a version is believed.
fn believes(gate: &Watched, version: u64) {
    gate.device(&format!("trust {version}"), |device: &Device| {
        device.trust.filter(|(found, _)| *found == version).map(drop)
    });
}

/// Waits until the stick of a name stands as wanted.
fn stick_stands(gate: &Watched, name: &str, wanted: impl Fn(&RoadState) -> bool) -> RoadState {
    gate.device(&format!("the state of stick {name}"), |device: &Device| match &device.import {
        Some(Import { road: Road::Stick(place), state }) if place.ends_with(name) && wanted(state) => {
            Some(state.clone())
        }
        _ => None,
    })
}

fn is_refused(state: &RoadState) -> bool {
    matches!(state, RoadState::Refused { .. })
}

/// Waits until nothing is wrong with the trust and no stick is told of.
fn is_clear(gate: &Watched) {
    gate.device("no stick and no fault", |device: &Device| {
        (device.import.is_none() && device.faults.trust.is_none()).then_some(())
    });
}

#[test]
fn every_bad_stick_is_refused_for_its_own_reason_while_people_pass_and_a_good_one_is_believed_after_it() {
    let mut world = parted_world();
    let old = Stick::new(&world, "older");
    // Another publisher's hand: the same authority, whose newest timestamp ran out ten days ago.
    copy(&world.path("trust"), &world.path("slow-authority"));
    for _ in 0..3 {
        publish_at(&world.path("slow-authority"), menshen::moment::now() - 40 * DAY_S, put_news);
    }
    assert_eq!(publish_news(&world), 2);
    let good = Stick::new(&world, "good");
    let bad = |name: &str, file: &str, change: fn(&mut Vec<u8>)| {
        let stick = Stick::new(&world, name);
        stick.change(file, change);
        stick
    };
    // A pipe into which nobody writes: whoever waits for it waits for ever.
    let pipe = Stick::new(&world, "pipe");
    let timestamp = pipe.folder("metadata").join("timestamp.json");
    fs::remove_file(&timestamp).expect("it is on the stick");
    assert!(Command::new("mkfifo").arg(&timestamp).status().expect("mkfifo runs").success());
    let stranger = World::new();
    let sticks = [
        (Refusal::Older, "older", old),
        (Refusal::Expired, "expired", Stick::of(&world, "expired", &world.path("slow-authority/repository"))),
        (Refusal::Signature, "strangers", Stick::of(&world, "strangers", &stranger.path("trust/repository"))),
        (Refusal::CutOff, "cut", bad("cut", "metadata/timestamp.json", |bytes| bytes.truncate(bytes.len() / 2))),
        (Refusal::TooLong, "long", bad("long", "metadata/timestamp.json", |bytes| bytes.resize(20_000, b' '))),
        (Refusal::Malformed, "pipe", pipe),
        (Refusal::Malformed, "page", bad("page", "metadata/timestamp.json", |bytes| *bytes = b"<html></html>".into())),
    ];
    let gate = Watched::start(&world).expect("it starts");
    believes(&gate, 1);
    good.put_in();
    believes(&gate, 2);
    good.pull_out();
    is_clear(&gate);
    gate.device("what came of it, after it is out", |device: &Device| {
        (device.last_stick == Some(RoadState::Imported)).then_some(())
    });
    for (refusal, name, stick) in sticks {
        stick.put_in();
        let RoadState::Refused { refusal: found, why } = stick_stands(&gate, name, is_refused) else {
            unreachable!("it was waited for")
        };
        assert_eq!(found, Some(refusal), "{name}: {why}");
        let told = gate.device("the fault in words", |device: &Device| device.faults.trust.clone());
        assert_eq!(told, why, "{name}");
        let waited = admits_one(&mut world, &gate);
        println!("{name}: decided in {} ms; {told}", waited.as_millis());
        believes(&gate, 2);
        stick.pull_out();
        is_clear(&gate);
    }
    assert_eq!(publish_news(&world), 3);
    Stick::new(&world, "next").put_in();
    stick_stands(&gate, "next", |state| *state == RoadState::Imported);
    believes(&gate, 3);
}

#[test]
fn a_province_that_signs_anothers_path_is_held_back_by_name_until_it_publishes_better() {
    let mut world = parted_world();
    let issuer = IssuerId::new(HENAN).expect("six digits");
    let foreign = Target::Delta(issuer, 2).path();
    let zhejiang = ZHEJIANG.to_string();
    publish(&world, |repository| repository.put(&zhejiang, &foreign, b"all red").expect("lists"));
    let gate = Watched::start(&world).expect("it starts");
    let bad = Stick::new(&world, "bad");
    bad.put_in();
    believes(&gate, 2);
    let told = gate.device("the fault in words", |device: &Device| device.faults.trust.clone());
    println!("{told}");
    assert!(told.contains(&zhejiang) && told.contains("belongs to somebody else"), "{told}");
    // What it said before still counts: the pass is one of this very province.
    admits_one(&mut world, &gate);
    bad.pull_out();
    publish(&world, |repository| assert!(repository.remove(&zhejiang, &foreign).expect("edits")));
    let better = Stick::new(&world, "better");
    better.put_in();
    believes(&gate, 3);
    better.pull_out();
    is_clear(&gate);
}

#[test]
fn of_two_sticks_the_newer_counts_and_each_is_told_of_while_it_is_in() {
    let world = parted_world();
    let old = Stick::new(&world, "b-old");
    publish_news(&world);
    let new = Stick::new(&world, "a-new");
    let gate = Watched::start(&world).expect("it starts");
    believes(&gate, 1);
    new.put_in();
    believes(&gate, 2);
    old.put_in();
    stick_stands(&gate, "b-old", is_refused);
    old.pull_out();
    let told = stick_stands(&gate, "a-new", |_| true);
    assert!(!is_refused(&told), "{told:?}");
    believes(&gate, 2);
    gate.device("no fault", |device: &Device| device.faults.trust.is_none().then_some(()));
}

#[test]
fn a_stick_whose_files_are_there_only_later_is_believed_without_being_put_in_again() {
    let world = parted_world();
    publish(&world, |repository| put_list(repository, ZHEJIANG, 1, 100));
    let stick = Stick::new(&world, "slow");
    let away = world.path("not-yet");
    fs::rename(stick.folder("targets/status"), &away).expect("both folders are ours");
    let gate = Watched::start(&world).expect("it starts");
    stick.put_in();
    let told = gate.device("the fault in words", |device: &Device| device.faults.trust.clone());
    assert!(told.contains("is not there"), "{told}");
    fs::rename(&away, stick.folder("targets/status")).expect("both folders are ours");
    gate.device("no fault", |device: &Device| device.faults.trust.is_none().then_some(()));
    believes(&gate, 2);
    gate.stop();
    let believed = vault_of(&world).expect("there was an import");
    assert_eq!(list_of(&believed, ZHEJIANG), Some(1));
}

#[test]
fn a_disk_that_takes_nothing_more_is_told_the_old_trust_stays_and_room_is_enough_to_go_on() {
    let mut world = parted_world();
    let gate = Watched::start(&world).expect("it starts");
    believes(&gate, 1);
    publish(&world, |repository| put_list(repository, ZHEJIANG, 1, 100));
    let (files, aside) = (world.path("state/trust/files"), world.path("files-aside"));
    fs::rename(&files, &aside).expect("both folders are ours");
    fs::write(&files, "no folder").expect("the folder is ours");
    Stick::new(&world, "good").put_in();
    let RoadState::Refused { refusal, why } = stick_stands(&gate, "good", is_refused) else {
        unreachable!("it was waited for")
    };
    assert_eq!(refusal, None, "the repository is not to blame: {why}");
    assert!(why.contains("free or repair that disk"), "{why}");
    believes(&gate, 1);
    admits_one(&mut world, &gate);
    fs::remove_file(&files).expect("the folder is ours");
    fs::rename(&aside, &files).expect("both folders are ours");
    believes(&gate, 2);
    gate.device("no fault", |device: &Device| device.faults.trust.is_none().then_some(()));
}

#[test]
fn a_gate_whose_vault_can_not_be_made_decides_by_what_it_came_with_and_says_why() {
    let mut world = parted_world();
    fs::create_dir_all(world.state()).expect("the folder is ours");
    fs::write(world.state().join("trust"), "a file where a folder must be").expect("the folder is ours");
    let gate = Watched::start(&world).expect("it starts");
    believes(&gate, 1);
    admits_one(&mut world, &gate);
    let why = gate.device("the fault in words", |device: &Device| match &device.import {
        Some(Import { road: Road::Folder, state: RoadState::Refused { refusal: None, why } }) => Some(why.clone()),
        _ => None,
    });
    assert!(why.contains("free or repair that disk"), "{why}");
    let told = gate.device("the fault on the bar", |device: &Device| device.faults.trust.clone());
    assert!(
        told.starts_with(&why) && told.contains("start the gate again") && told.contains("reads no stick"),
        "{told}"
    );
    let bar = &get(gate.panel().expect("its board has a panel"), "/state")["bar"];
    assert_eq!(
        (&bar["trust_fault"], &bar["takes_new"], &bar["trust"]["version"]),
        (&told.into(), &false.into(), &1.into())
    );
}

/// A clock of the system, which panics in the thread that imports for as long as `panics` says.
fn clock_that_panics(world: &World, panics: &Arc<AtomicBool>) -> GateClock {
    let (panics, started) = (panics.clone(), Instant::now());
    let parts = ClockParts {
        source: Source::System,
        rtc: None,
        system_now: Box::new(menshen::moment::now),
        sign: world.path("synchronised"),
        teller: Teller::Technician,
        counter: Box::new(move || {
            let is_import = thread::current().name() == Some("trust");
            assert!(!is_import || !panics.load(Ordering::Relaxed), "a bug");
            u64::try_from(started.elapsed().as_millis()).expect("a test is short")
        }),
    };
    GateClock::of(&world.state(), parts).expect("the system gives a thread")
}

#[test]
fn a_panic_in_an_import_is_told_and_the_stick_is_read_again() {
    let world = parted_world();
    fs::create_dir_all(world.state()).expect("the folder is ours");
    let config = KeeperConfig {
        state: world.state(),
        folder: world.path("gate-trust"),
        anchor: None,
        mounts: vec![world.state().join("sticks")],
        hub: None,
        longest_wait: Duration::from_secs(1),
        seed: 1,
    };
    let panics = Arc::new(AtomicBool::new(true));
    let (health, stop) = (Arc::new(Health::default()), Stop::new());
    let keeper = Keeper::open(config, Arc::new(clock_that_panics(&world, &panics))).expect("it has an anchor");
    let feed = keeper.feed();
    let version = || feed.trust().map(|trust| trust.list.content().version);
    let thread = keeper.spawn(health.clone(), stop.clone());
    publish_news(&world);
    Stick::new(&world, "good").put_in();
    let told = until("the panic in words", PATIENCE, || health.faults().trust);
    assert!(told.contains("imports") && told.contains("report the log"), "{told}");
    let shown = until("the stick's end", PATIENCE, || feed.import().filter(|import| is_refused(&import.state)));
    assert_eq!((shown.state, version()), (RoadState::Refused { refusal: None, why: told }, Some(1)));
    panics.store(false, Ordering::Relaxed);
    until("the new trust", PATIENCE, || (version() == Some(2)).then_some(()));
    until("no fault", PATIENCE, || health.faults().trust.is_none().then_some(()));
    stop.set();
    thread.join().expect("no panic reaches it");
}

#[test]
fn a_publication_of_next_year_raises_no_floor_of_a_gate_whose_hub_has_signed_the_time() {
    let mut world = parted_world();
    let _hub = world.start_hub();
    let gate = Watched::start(&world).expect("it starts");
    gate.device("a time that was signed", |device: &Device| (device.clock.time.error_s < 5).then_some(()));
    publish_at(&world.path("trust"), menshen::moment::now() + 365 * DAY_S, put_news);
    let stick = Stick::new(&world, "next-year");
    stick.put_in();
    let RoadState::Refused { refusal, why } = stick_stands(&gate, "next-year", is_refused) else {
        unreachable!("it was waited for")
    };
    assert_eq!(refusal, Some(Refusal::Ahead), "{why}");
    admits_one(&mut world, &gate);
    believes(&gate, 1);
}

#[test]
fn a_gate_without_a_hub_that_believed_a_publication_of_next_year_is_mended_by_the_next_one() {
    let mut world = parted_world();
    let gate = Watched::start(&world).expect("it starts");
    believes(&gate, 1);
    let authority = world.path("trust");
    publish_at(&authority, menshen::moment::now() + 365 * DAY_S, put_news);
    let wrong = Stick::new(&world, "next-year");
    wrong.put_in();
    stick_stands(&gate, "next-year", |state| *state == RoadState::Imported);
    gate.device("a floor of next year", |device: &Device| {
        (device.clock.time.earliest() > menshen::moment::now() + 300 * DAY_S).then_some(())
    });
    wrong.pull_out();
    publish(&world, put_news);
    Stick::new(&world, "right").put_in();
    stick_stands(&gate, "right", |state| *state == RoadState::Imported);
    gate.device("the time of day", |device: &Device| {
        (device.clock.time.latest() < menshen::moment::now() + DAY_S).then_some(())
    });
    admits_one(&mut world, &gate);
}

#[test]
fn what_the_hub_publishes_is_believed_and_nonsense_in_its_place_stops_nobody() {
    let mut world = parted_world();
    publish(&world, |repository| put_list(repository, ZHEJIANG, 1, 100_000));
    let hub = world.start_hub();
    let line = Nonsense::before(world.hub_addr(), Answer::Pass);
    world.site_with_hub(line.addr(), "thermometry = \"off\"\n");
    use_own_folder(&world);
    let gate = Watched::start(&world).expect("it starts");
    believes(&gate, 2);
    publish_news(&world);
    believes(&gate, 3);
    for answer in [Answer::Html, Answer::NotFound, Answer::Garbage, Answer::NotHttp, Answer::Endless] {
        line.answer(answer);
        until("some requests", Duration::from_secs(20), || (line.taken() > 1).then_some(()));
        let waited = admits_one(&mut world, &gate);
        let told = gate.device("its faults", |device: &Device| Some(device.faults.trust.clone()));
        println!("{answer:?}: decided in {} ms; {told:?}", waited.as_millis());
        believes(&gate, 3);
    }
    publish_news(&world);
    line.answer(Answer::Pass);
    believes(&gate, 4);
    gate.device("no fault", |device: &Device| device.faults.trust.is_none().then_some(()));
    drop(hub);
}

#[test]
fn a_stick_is_not_kept_waiting_by_a_hub_that_never_answers_nor_is_the_stop() {
    let world = parted_world();
    let line = Nonsense::before(world.hub_addr(), Answer::Silent);
    world.site_with_hub(line.addr(), "thermometry = \"off\"\n");
    use_own_folder(&world);
    let gate = Watched::start(&world).expect("it starts");
    until("a question to the hub", Duration::from_secs(20), || (line.taken() > 0).then_some(()));
    publish_news(&world);
    let begun = Instant::now();
    Stick::new(&world, "good").put_in();
    believes(&gate, 2);
    // The hub would have been waited for a minute.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let took = gate.stop();
    println!("believed after {} ms, stopped in {} ms", begun.elapsed().as_millis(), took.as_millis());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn sigkill_in_the_middle_of_imports_leaves_the_old_or_the_new_whole_and_never_nothing() {
    let begun = Instant::now();
    let gates: Vec<_> = (0..GATES).map(|gate| thread::spawn(move || die_importing(SEED + gate))).collect();
    let (mut olds, mut news) = (0, 0);
    for gate in gates {
        let (old, new) = gate.join().expect("the thread's own message is above");
        (olds, news) = (olds + old, news + new);
    }
    println!("{} kills: {olds} left the old, {news} the new; {:.0} s", GATES * KILLS, begun.elapsed().as_secs_f32());
    assert!(olds > 0 && news > 0, "the kills came all too early or all too late to say anything");
}

/// One gate through all of its deaths; gives how many left the old and how many the new.
fn die_importing(seed: u64) -> (u64, u64) {
    let mut random = Random::new(seed);
    let world = parted_world();
    let (mut olds, mut news) = (0, 0);
    // The kills gather around the end of the import, wherever this machine has it.
    let mut window_us = 400_000;
    let mut held = 1;
    for kill in 0..KILLS {
        let lists = |repository: &mut _| {
            for province in [ZHEJIANG, HENAN] {
                put_list(repository, province, kill + 1, 20_000);
            }
        };
        let newest = publish(&world, lists);
        let stick = Stick::new(&world, if kill % 2 == 0 { "even" } else { "odd" });
        stick.put_in();
        let victim = Program::victim(env!("CARGO_BIN_EXE_victim"), &world, &[]);
        let after_us = random.within(window_us / 2..window_us);
        thread::sleep(Duration::from_micros(after_us));
        victim.kill();
        let believed = vault_of(&world).unwrap_or_else(|| panic!("seed {seed:#x} kill {kill}: nothing is believed"));
        let version = believed.list.content().version;
        println!("seed {seed:#x} kill {kill}: after {after_us} µs, {version} of {held} or {newest}");
        assert!([held, newest].contains(&version), "seed {seed:#x} kill {kill}: {version}, not {held} or {newest}");
        is_whole(&believed, version);
        if version == newest {
            news += 1;
            window_us = (window_us * 3 / 4).max(2_000);
        } else {
            olds += 1;
            window_us = (window_us * 5 / 4).min(5_000_000);
        }
        held = version;
        stick.pull_out();
    }
    let newest = publish_news(&world);
    Stick::new(&world, "last").put_in();
    let gate = Program::gate(env!("CARGO_BIN_EXE_fault-gate"), &world).expect("it starts after all that");
    let panel = gate.addr().expect("its board has a panel");
    until("the newest trust", Duration::from_secs(30), || {
        (get(panel, "/state")["bar"]["trust"]["version"] == newest).then_some(())
    });
    assert!(gate.terminate().success());
    (olds, news)
}

/// Everything of one publication is there: all divisions, and the lists that came with this version.
fn is_whole(believed: &Believed, version: u64) {
    assert_eq!(believed.list.content().issuers.len(), 40);
    assert!(believed.roles.iter().all(|role| role.held_back.is_none()), "{:?}", believed.roles);
    let lists = [ZHEJIANG, HENAN].map(|province| list_of(believed, province));
    assert_eq!(lists, [(version > 1).then(|| version - 1); 2], "version {version}");
}

/// What a gate would believe that starts now.
fn vault_of(world: &World) -> Option<Believed> {
    let root = fs::read(world.path("gate-trust/root.json")).expect("the gate came with it");
    vault(&world.path("state/trust"), &root).current().expect("what is kept can be believed")
}

fn vault(dir: &Path, root: &[u8]) -> Vault {
    Vault::open(dir, root).expect("the folder is ours")
}

fn list_of(believed: &Believed, province: u32) -> Option<u64> {
    let status = believed.status.get(IssuerId::new(province).expect("six digits"))?;
    Some(status.complete().seq)
}
