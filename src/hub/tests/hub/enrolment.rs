//! How a gate is accepted, and who is not.

use crate::world::{Gate, TOKEN, World, shift, sign_by};
use menshen_core::wire::Enrol;
use menshen_hub::{Config, Hub, StoreUrl};

#[test]
fn an_enrolled_gate_learns_the_hubs_key() {
    let world = World::new();
    let gate = Gate::new(1);
    let answer = world.post(&gate.path("enrol"), &gate.enrol("东门 East", TOKEN)).json();
    let key: String = world.hub().public_key().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(answer, serde_json::json!({"gate": gate.id().to_string(), "label": "东门 East", "hub_key": key}));
}

#[test]
fn enrolling_again_renames_the_gate_and_keeps_its_records() {
    let world = World::new();
    let gate = world.enrolled(1);
    world.send(&gate, &shift(1, 2)).ack(&world);
    assert_eq!(world.post(&gate.path("enrol"), &gate.enrol("West gate", TOKEN)).status, 200);
    let gates = world.get("/v1/gates").json();
    assert_eq!(gates["gates"].as_array().map(Vec::len), Some(1));
    assert_eq!((&gates["gates"][0]["label"], &gates["gates"][0]["records"]), (&"West gate".into(), &2.into()));
}

#[test]
fn a_wrong_token_enrols_nobody() {
    let world = World::new();
    let gate = Gate::new(1);
    for token in ["", "lantern-", "lantern-77", "LANTERN-7"] {
        let answer = world.post(&gate.path("enrol"), &gate.enrol("x", token));
        assert_eq!(answer.refusal(), (403, "wrong_token".into()), "{token:?}");
    }
    assert_eq!(world.get("/v1/gates").json()["gates"], serde_json::json!([]));
}

#[test]
fn nobody_can_enrol_another_gates_key() {
    let world = World::new();
    let (thief, victim) = (Gate::new(1), Gate::new(2));
    let public_key = victim.key.verifying_key().to_bytes();
    let message = sign_by(&thief.key, &Enrol { public_key, label: "mine", token: TOKEN });
    assert_eq!(world.post(&victim.path("enrol"), &message).refusal(), (401, "signature".into()));
}

#[test]
fn a_gate_is_enrolled_under_the_id_of_its_own_key_only() {
    let world = World::new();
    let (gate, other) = (Gate::new(1), Gate::new(2));
    let answer = world.post(&other.path("enrol"), &gate.enrol("x", TOKEN));
    assert_eq!(answer.refusal(), (403, "wrong_gate".into()));
}

#[test]
fn an_enrolment_can_not_be_replayed_as_a_batch() {
    let world = World::new();
    let gate = world.enrolled(1);
    let answer = world.post(&gate.path("batches"), &gate.enrol("x", TOKEN));
    assert_eq!(answer.refusal(), (401, "signature".into()));
}

#[test]
fn a_hub_without_a_token_enrols_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let gate = Gate::new(1);
    let hub = Hub::start(config(&folder, None)).expect("starts");
    let url = format!("http://{}{}", hub.addr(), gate.path("enrol"));
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.post(url).send(&gate.enrol("x", "")[..]).expect("answers");
    assert_eq!(response.status(), 403);
    assert!(response.body_mut().read_to_string().expect("text").contains("enrolment_closed"));
}

#[test]
fn a_token_that_is_empty_or_too_long_for_a_gate_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    for token in [String::new(), "x".repeat(65)] {
        let error = Hub::start(config(&folder, Some(token))).expect_err("refused");
        assert!(error.to_string().contains("1 to 64 bytes"), "{error}");
    }
}

fn config(folder: &tempfile::TempDir, enrol_token: Option<String>) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        store: StoreUrl::Sqlite(folder.path().join("hub.db")),
        repository: folder.path().join("repository"),
        key: ed25519_dalek::SigningKey::from_bytes(&[5; 32]),
        enrol_token,
        tls: None,
    }
}
