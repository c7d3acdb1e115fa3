//! The rules of a place at a whole gate: households, passes that come again, volunteers, several lanes.

use menshen::request::Request;
use menshen_core::record::{Body, Record};
use menshen_lane::journal::Inspection;
use menshen_tests::faults::process::get;
use menshen_tests::faults::until;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::World;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

const SITE: &str = "name_zh = \"试验门\"\nname_en = \"Trial gate\"\nlane = 1\nhome = 330100\ntrust = \"trust\"\n";
const PATIENCE: Duration = Duration::from_secs(30);

/// A gate by which people leave a community whose households go out once in two days.
fn way_out(more: &str) -> World {
    let world = World::new();
    let policy = "[policy]\nthermometry = \"off\"\nquota = { outings = 1, days = 2 }\nhold_other_ms = 1000\n";
    world.write("site.toml", format!("{SITE}leads_out = [1]\n{more}{policy}"));
    world
}

fn member(household: &str, name: &str) -> Request {
    Request {
        issuer: 330_000,
        colour: "green".into(),
        kind: "community".into(),
        valid: Some("1h".into()),
        holder: Some(name.into()),
        household: Some(household.into()),
        ..Request::default()
    }
}

/// What became of somebody who shows a pass as the `nth` one.
fn shows(world: &mut World, gate: &Watched, request: Request, nth: usize) -> String {
    let pass = world.pass_of(request);
    world.show_at("camera", &pass);
    let view = gate.verdict(nth);
    let names: Vec<&str> = view.reasons.iter().map(|reason| reason.name).collect();
    format!("{} {}", view.verdict, names.join(" ")).trim_end().to_owned()
}

#[test]
fn a_household_goes_out_once_also_after_the_gate_was_switched_off() {
    let mut world = way_out("");
    let gate = Watched::start(&world).expect("the gate starts");
    assert_eq!(shows(&mut world, &gate, member("lin", "a"), 1), "admit");
    assert_eq!(shows(&mut world, &gate, member("lin", "b"), 2), "refuse household_quota");
    assert_eq!(shows(&mut world, &gate, member("wang", "c"), 3), "admit");
    gate.stop();
    world.clear_camera();
    let gate = Watched::start(&world).expect("the gate starts again");
    assert_eq!(shows(&mut world, &gate, member("lin", "b"), 1), "refuse household_quota");
}

#[test]
fn a_household_that_went_out_by_one_gate_of_the_site_does_not_go_out_by_another() {
    let free = || UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let (here, there) = (free(), free());
    let section = |listen: SocketAddr, peer: SocketAddr| {
        format!("[neighbours]\nlisten = \"{listen}\"\npeers = [\"{peer}\"]\nkey = \"neighbours.key\"\n\n")
    };
    let (mut one, mut other) = (way_out(&section(here, there)), way_out(&section(there, here)));
    for world in [&one, &other] {
        world.write("neighbours.key", "5e".repeat(32));
    }
    // Both gates believe the same authority.
    let trust = one.path("trust");
    other.write(
        "site.toml",
        std::fs::read_to_string(other.site_file())
            .expect("it was written")
            .replace("trust = \"trust\"", &format!("trust = {trust:?}")),
    );
    let (gate, neighbour) = (Watched::start(&one).expect("it starts"), Watched::start(&other).expect("it starts"));
    neighbour.device("the gates hear each other", |device| device.faults.neighbours.is_none().then_some(()));
    assert_eq!(shows(&mut one, &gate, member("lin", "a"), 1), "admit");
    // The news takes a moment; who comes in it is asked about by nobody, so let it pass.
    std::thread::sleep(Duration::from_secs(1));
    let pass = one.pass_of(member("lin", "b"));
    other.show_at("camera", &pass);
    let view = neighbour.verdict(1);
    assert_eq!((view.verdict, view.reasons[0].name), ("refuse", "household_quota"));
    // Without the other gate, this one counts for itself and says so.
    gate.stop();
    neighbour.device("the other gate is missed", |device| {
        device.faults.neighbours.as_ref().filter(|fault| fault.contains(&here.to_string())).map(|_| ())
    });
    let pass = one.pass_of(member("wang", "c"));
    other.show_at("camera", &pass);
    assert_eq!(neighbour.verdict(2).verdict, "admit");
}

#[test]
fn the_same_pass_again_is_asked_about_and_a_refreshed_one_is_not() {
    let mut world = World::new();
    world.site("thermometry = \"off\"\nhold_other_ms = 1000\nagain_after_s = 300\n");
    let gate = Watched::start(&world).expect("the gate starts");
    let pass = world.pass_of(member("lin", "a"));
    world.show_at("camera", &pass);
    assert_eq!(gate.verdict(1).verdict, "admit");
    // Out of view for longer than two taps of one person are apart.
    std::thread::sleep(Duration::from_millis(menshen_core::lane::AWAY_MS + 1500));
    world.show_at("camera", &pass);
    let again = gate.verdict(2);
    assert_eq!((again.verdict, again.reasons[0].name), ("refer", "shown_again"));
    assert_eq!(shows(&mut world, &gate, member("lin", "a"), 3), "admit");
}

/// Sends what a volunteer decides to a panel, as its page does.
fn by_hand(panel: SocketAddr, cause: &str) -> u16 {
    let screen = get(panel, "/state")["screen"]["number"].as_u64().expect("screens have numbers");
    let act = get(panel, "/session")["act"].as_str().expect("it has no PIN").to_owned();
    let body = format!("{{\"cause\":\"{cause}\",\"screen\":{screen}}}");
    let mut stream = TcpStream::connect(panel).expect("the panel listens");
    let head = format!(
        "POST /by-hand HTTP/1.1\r\nHost: {panel}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         X-Menshen-Act: {act}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).expect("it is heard");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

fn bodies(world: &World) -> Vec<(u8, Body)> {
    let mut bodies = Vec::new();
    let journal = Inspection::open(&world.state()).expect("a gate that stopped");
    let each = |_, _, bytes: &[u8]| {
        let record = Record::from_bytes(bytes).expect("it is whole");
        bodies.push((record.lane, record.body));
        true
    };
    journal.for_each(each).expect("it reads");
    bodies
}

#[test]
fn whom_a_volunteer_lets_in_is_recorded_with_the_cause_and_turns_the_relay() {
    let mut world = World::new();
    let gate = Watched::start(&world).expect("the gate starts");
    world.show(menshen_tests::faults::world::YELLOW);
    assert_eq!(gate.verdict(1).verdict, "refer");
    let panel = gate.panel().expect("it has a panel");
    // A verdict is on the screen for a moment before it can be gone beyond.
    assert_eq!(by_hand(panel, "paper_seen"), 204);
    let view = gate.verdict(2);
    assert_eq!((view.verdict, view.cause), ("admit", Some("paper_seen")));
    gate.stop();
    let causes: Vec<_> = bodies(&world)
        .into_iter()
        .filter_map(|(_, body)| match body {
            Body::Scan(scan) => Some((scan.verdict.name(), scan.cause.map(|cause| cause.name()))),
            Body::Loss { .. } | Body::Alarm(_) | Body::Tried(_) => None,
        })
        .collect();
    assert_eq!(causes, [("refer", None), ("admit", Some("paper_seen"))]);
    assert_eq!(menshen_tests::faults::ledger::relay_edges(&world), [true, false]);
}

#[test]
fn two_lanes_of_one_device_keep_one_journal_and_know_what_the_other_let_in() {
    let mut world = World::new();
    world.board("[[lanes]]\npanel = { listen = \"127.0.0.1:0\" }\n");
    world.write("site.toml", format!("{SITE}[policy]\nthermometry = \"off\"\n"));
    let gate = Watched::start(&world).expect("the gate starts");
    let relay = |world: &World, dir: &str| {
        let trace = std::fs::read_to_string(world.state().join(dir).join("gpio.jsonl")).unwrap_or_default();
        let edges = trace.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        edges.filter(|edge| edge["pin"] == "relay" && edge["level"] == "high").count()
    };
    let pass = world.pass_of(member("lin", "a"));
    world.show_at("camera", &pass);
    assert_eq!(gate.verdict(1).verdict, "admit");
    let other = world.pass_of(member("wang", "b"));
    world.show_at("lane-2/camera", &other);
    until("the second lane opens", PATIENCE, || (relay(&world, "lane-2") == 1).then_some(()));
    world.show_at("lane-2/camera", &pass);
    until("the second lane has decided", PATIENCE, || {
        gate.device("the records", |device| Some(device.journal.next_seq)).ge(&4).then_some(())
    });
    assert_eq!((relay(&world, ""), relay(&world, "lane-2")), (1, 1));
    gate.stop();
    let scans: Vec<_> = bodies(&world)
        .into_iter()
        .filter_map(|(lane, body)| match body {
            Body::Scan(scan) => Some((lane, scan.verdict.name(), scan.reasons.first().map(|reason| reason.name()))),
            Body::Loss { .. } | Body::Alarm(_) | Body::Tried(_) => None,
        })
        .collect();
    assert_eq!(scans, [(1, "admit", None), (2, "admit", None), (2, "refer", Some("shown_again"))]);
}
