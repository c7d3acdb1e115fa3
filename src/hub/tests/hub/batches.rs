//! What becomes of a batch, honest or not.

use crate::world::{Gate, World, shift, shift_with, sign_by};
use menshen_core::record::{Body, Epoch, Record, Seq};
use menshen_core::wire::{Batch, MAX_BATCH_BYTES, MAX_MESSAGE_BYTES};

#[test]
fn a_batch_is_stored_and_acknowledged_through_its_last_record() {
    let world = World::new();
    let gate = world.enrolled(1);
    let ack = world.send(&gate, &shift(1, 512)).ack(&world);
    assert_eq!((ack.gate, ack.epoch, ack.through), (gate.id(), Epoch(1), Seq(512)));
    assert!(ack.hub_unix_s > 1_700_000_000, "the hub's clock: {}", ack.hub_unix_s);
    assert_eq!(world.held(&gate).len(), 512);
}

#[test]
fn a_batch_sent_again_is_acknowledged_and_stored_once() {
    let world = World::new();
    let gate = world.enrolled(1);
    let records = shift(1, 5);
    world.send(&gate, &records).ack(&world);
    let held = world.held(&gate);
    assert_eq!(world.send(&gate, &records).ack(&world).through, Seq(5));
    assert_eq!(world.held(&gate), held);
}

#[test]
fn a_batch_half_of_which_is_held_adds_the_other_half() {
    let world = World::new();
    let gate = world.enrolled(1);
    let records = shift(1, 9);
    world.send(&gate, &records[..6]).ack(&world);
    assert_eq!(world.send(&gate, &records[3..]).ack(&world).through, Seq(9));
    let numbers: Vec<_> = world.held(&gate).iter().map(|(_, seq, _)| *seq).collect();
    assert_eq!(numbers, (1..=9).collect::<Vec<_>>());
}

#[test]
fn an_old_batch_is_acknowledged_through_all_that_is_held() {
    let world = World::new();
    let gate = world.enrolled(1);
    let records = shift(1, 9);
    world.send(&gate, &records).ack(&world);
    assert_eq!(world.send(&gate, &records[..2]).ack(&world).through, Seq(9));
}

#[test]
fn a_new_epoch_begins_at_one_and_leaves_the_old_one_as_it_is() {
    let world = World::new();
    let gate = world.enrolled(1);
    world.send(&gate, &shift(1, 4)).ack(&world);
    let ack = world.send(&gate, &shift(2, 2)).ack(&world);
    assert_eq!((ack.epoch, ack.through), (Epoch(2), Seq(2)));
    let places: Vec<_> = world.held(&gate).iter().map(|(epoch, seq, _)| (*epoch, *seq)).collect();
    assert_eq!(places, [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2)]);
}

#[test]
fn a_loss_record_goes_on_with_the_numbering() {
    let world = World::new();
    let gate = world.enrolled(1);
    let records = shift_with(1, 3, |record| {
        if record.seq == Seq(2) {
            record.body = Body::Loss { epoch: Epoch(1), from: Seq(7), through: Seq(9) };
        }
    });
    assert_eq!(world.send(&gate, &records).ack(&world).through, Seq(3));
    let list = world.get(&gate.path("records")).json();
    assert_eq!((&list["records"][1]["kind"], &list["records"][1]["lost_through"]), (&"loss".into(), &9.into()));
}

#[test]
fn a_batch_signed_by_another_key_is_refused() {
    let world = World::new();
    let (gate, other) = (world.enrolled(1), Gate::new(2));
    let records = zstd::bulk::compress(&shift(1, 1).concat(), 3).expect("compresses");
    let batch = Batch { gate: gate.id(), epoch: Epoch(1), first: Seq(1), count: 1, records: &records };
    let answer = world.post(&gate.path("batches"), &sign_by(&other.key, &batch));
    assert_eq!(answer.refusal(), (401, "signature".into()));
    assert_eq!(world.held(&gate), []);
}

#[test]
fn any_changed_byte_of_a_batch_is_refused() {
    let world = World::new();
    let gate = world.enrolled(1);
    let message = gate.batch(&shift(1, 1));
    for at in 0..message.len() {
        let mut changed = message.clone();
        changed[at] ^= 1;
        let (status, code) = world.post(&gate.path("batches"), &changed).refusal();
        assert!(matches!(status, 400 | 401), "byte {at}: {status} {code}");
    }
    assert_eq!(world.held(&gate), []);
}

#[test]
fn an_enrolled_gate_can_not_send_for_another() {
    let world = World::new();
    let (gate, victim) = (world.enrolled(1), world.enrolled(2));
    let records = zstd::bulk::compress(&shift(1, 1).concat(), 3).expect("compresses");
    let batch = Batch { gate: victim.id(), epoch: Epoch(1), first: Seq(1), count: 1, records: &records };
    let message = gate.sign(&batch);
    assert_eq!(world.post(&gate.path("batches"), &message).refusal(), (403, "wrong_gate".into()));
    assert_eq!(world.post(&victim.path("batches"), &message).refusal(), (401, "signature".into()));
    assert_eq!(world.held(&victim), []);
}

#[test]
fn a_gate_that_is_not_enrolled_is_told_so() {
    let world = World::new();
    let stranger = Gate::new(9);
    assert_eq!(world.send(&stranger, &shift(1, 1)).refusal(), (403, "not_enrolled".into()));
}

#[test]
fn a_record_changed_after_it_was_stored_is_a_conflict_and_changes_nothing() {
    let world = World::new();
    let gate = world.enrolled(1);
    let records = shift(1, 4);
    world.send(&gate, &records[..3]).ack(&world);
    let held = world.held(&gate);
    let rewritten = shift_with(1, 4, |record| record.lane = if record.seq == Seq(2) { 9 } else { 1 });
    let answer = world.send(&gate, &rewritten);
    assert_eq!(answer.refusal(), (409, "conflict".into()));
    assert_eq!(answer.json()["seq"], 2);
    assert_eq!(world.held(&gate), held);
}

#[test]
fn a_record_that_does_not_follow_the_stored_one_is_a_conflict() {
    let world = World::new();
    let gate = world.enrolled(1);
    world.send(&gate, &shift(1, 3)).ack(&world);
    let other_past = shift_with(1, 5, |record| record.lane = 9);
    assert_eq!(world.send(&gate, &other_past[3..]).refusal(), (409, "conflict".into()));
    assert_eq!(world.held(&gate).len(), 3);
}

#[test]
fn a_gap_is_refused_with_the_number_to_send_from() {
    let world = World::new();
    let gate = world.enrolled(1);
    let records = shift(1, 9);
    world.send(&gate, &records[..3]).ack(&world);
    let answer = world.send(&gate, &records[4..]);
    assert_eq!(answer.refusal(), (409, "gap".into()));
    assert_eq!(answer.json()["expected"], 4);
    assert_eq!(world.send(&gate, &records[3..]).ack(&world).through, Seq(9));
}

#[test]
fn an_epoch_that_does_not_begin_at_its_first_record_is_a_gap() {
    let world = World::new();
    let gate = world.enrolled(1);
    let answer = world.send(&gate, &shift(3, 2)[1..]);
    assert_eq!((answer.refusal(), &answer.json()["expected"]), ((409, "gap".into()), &1.into()));
}

#[test]
fn a_message_longer_than_any_batch_is_refused_unread() {
    let world = World::new();
    let gate = world.enrolled(1);
    let answer = world.post(&gate.path("batches"), &vec![0; MAX_MESSAGE_BYTES + 1]);
    assert_eq!(answer.refusal(), (413, "too_large".into()));
}

#[test]
fn every_truncation_of_a_batch_is_malformed() {
    let world = World::new();
    let gate = world.enrolled(1);
    let message = gate.batch(&shift(1, 1));
    for length in 0..message.len() {
        let answer = world.post(&gate.path("batches"), &message[..length]);
        assert_eq!(answer.refusal(), (400, "malformed".into()), "cut at {length}");
    }
}

#[test]
fn a_decompression_bomb_is_refused() {
    let world = World::new();
    let gate = world.enrolled(1);
    for size in [MAX_BATCH_BYTES + 1, 1 << 28] {
        let bomb = gate.batch_as(Epoch(1), Seq(1), 1, &vec![0; size]);
        assert!(bomb.len() < MAX_MESSAGE_BYTES);
        assert_eq!(world.post(&gate.path("batches"), &bomb).refusal(), (422, "compression".into()), "{size}");
    }
}

#[test]
fn records_that_are_not_one_chain_are_refused_whole() {
    let world = World::new();
    let gate = world.enrolled(1);
    let mut records = shift(1, 4);
    records[2] = shift_with(1, 4, |record| record.lane = 9)[2].clone();
    assert_eq!(world.send(&gate, &records).refusal(), (422, "chain".into()));
    let skipping = [shift(1, 4)[0].clone(), shift(1, 4)[2].clone()];
    assert_eq!(world.send(&gate, &skipping).refusal(), (422, "chain".into()));
    assert_eq!(world.held(&gate), []);
}

#[test]
fn a_first_record_that_names_a_past_is_no_beginning() {
    let world = World::new();
    let gate = world.enrolled(1);
    let records = shift_with(1, 1, |record| record.previous = [1; 32]);
    assert_eq!(world.send(&gate, &records).refusal(), (422, "chain".into()));
}

#[test]
fn records_of_another_epoch_than_the_batch_says_are_refused() {
    let world = World::new();
    let gate = world.enrolled(1);
    let message = gate.batch_as(Epoch(2), Seq(1), 1, &shift(1, 1).concat());
    assert_eq!(world.post(&gate.path("batches"), &message).refusal(), (422, "chain".into()));
}

#[test]
fn more_or_fewer_records_than_the_batch_says_are_refused() {
    let world = World::new();
    let gate = world.enrolled(1);
    let records = shift(1, 3).concat();
    for count in [2, 4] {
        let message = gate.batch_as(Epoch(1), Seq(1), count, &records);
        assert_eq!(world.post(&gate.path("batches"), &message).refusal(), (422, "count".into()), "{count}");
    }
}

#[test]
fn a_record_in_another_than_the_canonical_form_is_refused() {
    let world = World::new();
    let gate = world.enrolled(1);
    let record = &shift(1, 1)[0];
    assert_eq!(record[1..3], [0x00, 0x01], "the format comes first");
    // The format 1 as 0x1801: the same number, one byte longer.
    let longer = [&record[..2], &[0x18, 0x01], &record[3..]].concat();
    assert!(Record::from_bytes(&longer).is_err());
    let message = gate.batch_as(Epoch(1), Seq(1), 1, &longer);
    assert_eq!(world.post(&gate.path("batches"), &message).refusal(), (422, "record".into()));
}
