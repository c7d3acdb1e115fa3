//! What time it is, signed for whoever asks.

use crate::world::World;
use menshen_core::cose::{Purpose, Sign1};
use menshen_core::wire::{HubTime, Message};
use std::time::SystemTime;

fn now_s() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("this machine is not in 1970").as_secs()
}

#[test]
fn the_hub_signs_its_time_for_the_nonce_it_was_asked_with() {
    let world = World::new();
    for nonce in [[7; 16], [8; 16]] {
        let before_s = now_s();
        let answer = world.post("/v1/time", &nonce);
        assert_eq!((answer.status, &answer.headers["content-type"]), (200, &"application/cose".parse().expect("text")));
        let sign1 = Sign1::parse(&answer.body).expect("a signed message");
        sign1.verify(&world.hub().public_key(), Purpose::Time, &mut Vec::new()).expect("the hub's signature");
        assert!(sign1.verify(&world.hub().public_key(), Purpose::Ack, &mut Vec::new()).is_err(), "it is no ack");
        let time = HubTime::decode(sign1.payload).expect("a time");
        assert_eq!(time.nonce, nonce);
        assert!((before_s..=now_s()).contains(&time.unix_s), "{}", time.unix_s);
    }
}

#[test]
fn a_nonce_of_another_length_is_refused() {
    let world = World::new();
    for length in [0, 15, 17, 1000] {
        assert_eq!(world.post("/v1/time", &vec![1; length]).refusal(), (400, "malformed".into()), "{length}");
    }
}

#[test]
fn a_gate_that_is_not_enrolled_is_told_the_time_too() {
    let world = World::new();
    assert_eq!(world.post("/v1/time", &[0; 16]).status, 200);
    assert_eq!(world.get("/v1/gates").json()["gates"], serde_json::json!([]));
}
