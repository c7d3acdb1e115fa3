//! The JSON that scripts read.

use crate::world::{NOON, World, shift};
use serde_json::json;

#[test]
fn a_record_is_listed_with_what_it_says() {
    let world = World::new();
    let gate = world.enrolled(1);
    world.send(&gate, &shift(1, 2)).ack(&world);
    let mut record = world.get(&gate.path("records?epoch=1&after=1")).json()["records"][0].take();
    assert_eq!(record["hash"].take().as_str().map(str::len), Some(64));
    let expected = json!({
        "epoch": 1, "seq": 2, "hash": null, "kind": "scan", "unix_s": NOON + 2, "confidence": "trusted", "lane": 1,
        "verdict": "refer", "reasons": [{"code": 50, "name": "yellow"}], "issuer": 330_100, "colour": "yellow",
        "temp_centi_c": 3654, "ambient_centi_c": 2210, "raw_centi_c": 3654, "cause": null, "alarm": null, "tried": null, "trust_version": 7, "lost_epoch": null, "lost_from": null,
        "lost_through": null,
    });
    assert_eq!(record, expected);
}

#[test]
fn records_are_read_in_pages_by_epoch() {
    let world = World::new();
    let gate = world.enrolled(1);
    world.send(&gate, &shift(1, 5)).ack(&world);
    world.send(&gate, &shift(2, 5)).ack(&world);
    let page = world.get(&gate.path("records?epoch=1&after=1&limit=3")).json();
    let numbers: Vec<_> = page["records"].as_array().expect("a list").iter().map(|r| r["seq"].clone()).collect();
    assert_eq!(numbers, [2, 3, 4]);
    let end = world.get(&gate.path("records?epoch=1&after=5")).json();
    assert_eq!(end["records"], json!([]));
}

#[test]
fn a_gate_is_listed_with_how_far_it_is() {
    let world = World::new();
    let gate = world.enrolled(1);
    world.enrolled(2);
    world.send(&gate, &shift(1, 3)).ack(&world);
    world.send(&gate, &shift(2, 2)).ack(&world);
    let list = world.get("/v1/gates").json();
    let line = &list["gates"][0];
    assert_eq!((&line["records"], &line["epoch"], &line["through"]), (&5.into(), &2.into(), &2.into()));
    assert_eq!(line["last"]["verdict"], "refer");
    assert_eq!(list["gates"][1]["last"], json!(null));
}

#[test]
fn a_question_that_can_not_be_understood_is_malformed() {
    let world = World::new();
    let gate = world.enrolled(1);
    for query in ["limit=-1", "epoch=x", "after=3", "lmit=3"] {
        let answer = world.get(&gate.path(&format!("records?{query}")));
        assert_eq!(answer.refusal(), (400, "malformed".into()), "{query}");
    }
}

#[test]
fn an_address_where_nothing_is_says_so_in_json() {
    let world = World::new();
    assert_eq!(world.get("/v1/nothing").refusal(), (404, "not_found".into()));
    assert_eq!(world.get("/v1/gates/0000000000000000/records").refusal(), (404, "not_found".into()));
    assert_eq!(world.get("/v1/gates/east/records").refusal(), (400, "malformed".into()));
    assert_eq!(world.get("/v1/gates/0000000000000000/batches").refusal(), (405, "method".into()));
}
