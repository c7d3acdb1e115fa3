//! What an access controller sees on the two lines of Wiegand: bits, parities, pulses, gaps, and never both at once.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorType, OutputPin};
use menshen_gate::board::WiegandFrame;
use menshen_gate::outputs::{Frame, Lines, Timing};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// A level of a line with its moment, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    line: usize,
    high: bool,
    at_ns: u64,
}

#[derive(Clone, Default)]
struct Scope(Arc<Mutex<(u64, Vec<Edge>)>>);

/// The pin of a line, as the line sees it: behind a transistor where that inverts.
struct Probe {
    line: usize,
    inverted: bool,
    scope: Scope,
}

impl ErrorType for Probe {
    type Error = Infallible;
}

impl OutputPin for Probe {
    fn set_low(&mut self) -> Result<(), Infallible> {
        let (at_ns, edges) = &mut *self.scope.0.lock().unwrap();
        edges.push(Edge { line: self.line, high: self.inverted, at_ns: *at_ns });
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        let (at_ns, edges) = &mut *self.scope.0.lock().unwrap();
        edges.push(Edge { line: self.line, high: !self.inverted, at_ns: *at_ns });
        Ok(())
    }
}

impl DelayNs for Scope {
    fn delay_ns(&mut self, ns: u32) {
        self.0.lock().unwrap().0 += u64::from(ns);
    }
}

const TIMING: Timing = Timing { pulse_us: 100, gap_us: 2000 };

/// Sends a number and reads it back as a controller does.
fn received(number: WiegandFrame, inverted: bool) -> String {
    let scope = Scope::default();
    let pin = |line| Probe { line, inverted, scope: scope.clone() };
    let mut lines = Lines::new(pin(0), pin(1), inverted, scope.clone()).unwrap();
    lines.send(Frame::of(number), TIMING).unwrap();
    let (ended_ns, edges) = scope.0.lock().unwrap().clone();
    let idle = |line| Edge { line, high: true, at_ns: 0 };
    assert_eq!(edges[..2], [idle(0), idle(1)], "both lines idle high before anything is sent");
    let mut bits = String::new();
    let mut last_rise_ns = None;
    for pair in edges[2..].chunks(2) {
        // A pulse is over before another begins, so the lines are never low together.
        let [fall, rise] = pair else { panic!("a line stays low") };
        assert_eq!((fall.high, rise.high, fall.line), (false, true, rise.line));
        assert_eq!(rise.at_ns - fall.at_ns, 100_000, "the width of a pulse");
        if let Some(last_rise_ns) = last_rise_ns.replace(rise.at_ns) {
            assert_eq!(fall.at_ns - last_rise_ns, 2_000_000, "the gap between two pulses");
        }
        bits.push(if fall.line == 1 { '1' } else { '0' });
    }
    assert!(ended_ns - last_rise_ns.unwrap() >= 50_000_000, "silence ends a frame");
    bits
}

fn parities_hold(bits: &str) {
    let ones = |part: &str| part.matches('1').count();
    let (first, second) = bits.split_at(bits.len() / 2);
    assert!(ones(first).is_multiple_of(2) && !ones(second).is_multiple_of(2), "{bits}");
}

#[test]
fn numbers_that_makers_print_come_out_as_they_print_them() {
    // Allegion, "How are the even parity bit and odd parity bit calculated in the 26A format".
    assert_eq!(received(WiegandFrame::W26 { facility: 0b0110_0101, card: 4095 }, false), "00110010100001111111111111");
    // ZKTeco, instruction to Wiegand input configuration: facility 1, number 1.
    assert_eq!(received(WiegandFrame::W26 { facility: 1, card: 1 }, false), "10000000100000000000000010");
}

#[test]
fn a_longer_frame_has_sixteen_bits_of_each_and_parities_over_sixteen() {
    assert_eq!(
        received(WiegandFrame::W34 { facility: 0x8001, card: 0x0003 }, false),
        "0100000000000000100000000000000111"
    );
    assert_eq!(
        received(WiegandFrame::W34 { facility: 0x0001, card: 0x0001 }, false),
        "1000000000000000100000000000000010"
    );
}

#[test]
fn every_number_has_its_parities_and_comes_back_whichever_way_the_lines_are_driven() {
    let mut number = 0x2545_f491_u32;
    println!("seed {number:#x}");
    for round in 0..500 {
        // Marsaglia's xorshift.
        number ^= number << 13;
        number ^= number >> 17;
        number ^= number << 5;
        let (facility, card) = ((number >> 16) as u16, number as u16);
        let inverted = round % 2 == 0;
        let bits = received(WiegandFrame::W34 { facility, card }, inverted);
        assert_eq!(bits.len(), 34);
        parities_hold(&bits);
        assert_eq!(u32::from_str_radix(&bits[1..33], 2).unwrap(), number);
        let bits = received(WiegandFrame::W26 { facility: facility as u8, card }, inverted);
        assert_eq!(bits.len(), 26);
        parities_hold(&bits);
        assert_eq!(u32::from_str_radix(&bits[1..25], 2).unwrap(), number & 0x00ff_ffff);
    }
}
