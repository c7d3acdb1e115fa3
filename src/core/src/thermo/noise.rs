//! Ten million random bytes between good frames, for each protocol: what a loose cable in a machine hall is like.

use super::modbus_head::{Function, Map};
use super::*;
use std::vec::Vec;

const SEED: u64 = 0x7468_6572_6d6f;
const NOISE_BYTES: usize = 10_000_000;
/// After so many random bytes the line is good for some frames.
const NOISE_AT_ONCE: usize = 1000;
const FRAMES_AT_ONCE: usize = 3;
const MAP: Map = Map { unit: 17, function: Function::Input, object_register: 2, ambient_register: 0, step_centi_c: 1 };

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A reading that every protocol can say: tenths of a degree.
    fn reading(&mut self) -> Reading {
        let tenths = |number: u64, from: i16, steps: u64| from + 10 * (number % steps) as i16;
        Reading::of(tenths(self.next(), 3400, 70), tenths(self.next(), 1600, 190))
    }
}

fn survives(protocol: Protocol, frame: impl Fn(Reading) -> Vec<u8>) {
    let mut parser = Parser::new(protocol).expect("a good map");
    let mut random = Random(SEED);
    for round in 0..NOISE_BYTES / NOISE_AT_ONCE {
        for _ in 0..NOISE_AT_ONCE / 8 {
            for byte in random.next().to_be_bytes() {
                assert_eq!(
                    parser.push(byte),
                    None,
                    "seed {SEED:#x}, round {round}: a reading of {protocol:?} from noise"
                );
            }
        }
        let reading = random.reading();
        let read: Vec<bool> = (0..FRAMES_AT_ONCE)
            .map(|_| {
                let found: Vec<Reading> = frame(reading).into_iter().filter_map(|byte| parser.push(byte)).collect();
                assert!(found.iter().all(|found| *found == reading), "seed {SEED:#x}, round {round}: {found:?}");
                found.len() == 1
            })
            .collect();
        assert_eq!(read[1..], [true; FRAMES_AT_ONCE - 1], "seed {SEED:#x}, round {round}: all but the first at most");
    }
}

#[test]
fn gy_mcu90614_reads_every_good_frame_amid_noise_and_nothing_else() {
    survives(Protocol::GyMcu90614, |reading| gy_mcu90614::frame(reading).to_vec());
}

#[test]
fn cjmcu_90614_reads_every_good_frame_amid_noise_and_nothing_else() {
    survives(Protocol::Cjmcu90614, |reading| cjmcu_90614::frame(reading).to_vec());
}

#[test]
fn rqvk002_reads_every_good_frame_amid_noise_and_nothing_else() {
    survives(Protocol::Rqvk002, |reading| rqvk002::frame(reading).to_vec());
}

#[test]
fn a_modbus_head_is_read_amid_noise_and_nothing_else_is() {
    survives(Protocol::ModbusRtu(MAP), |reading| modbus_head::answer(MAP, reading).to_vec());
}
