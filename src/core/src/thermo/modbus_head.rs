//! An industrial head that speaks Modbus-RTU: it answers when it is asked for registers.
//!
//! Which registers, by which function and in which unit differs from maker to maker, so that is data ([`Map`]) and comes
//! from the board file. Frames are made and read by the crate `rmodbus` (Modbus application protocol 1.1b3, over serial
//! line 1.02); an answer counts only with its unit, function, length and CRC.

use super::Reading;
use rmodbus::client::ModbusRequest;
use rmodbus::{ErrorKind, ModbusProto};

/// The most registers that are read at once.
pub const MAX_REGISTERS: u16 = 16;
/// Unit, function and length before the registers, the CRC behind them.
const OVERHEAD_BYTES: usize = 5;
const MAX_ANSWER_BYTES: usize = OVERHEAD_BYTES + 2 * MAX_REGISTERS as usize;
/// Bytes of a request.
pub const REQUEST_BYTES: usize = 8;

/// By which function registers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// 03, holding registers.
    Holding,
    /// 04, input registers.
    Input,
}

/// Where a head keeps what it measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// The head's address, 1 to 247.
    pub unit: u8,
    /// How its registers are read.
    pub function: Function,
    /// The register of the object's temperature, signed.
    pub object_register: u16,
    /// The register of the ambient temperature, signed.
    pub ambient_register: u16,
    /// What one step of both registers is, in hundredths of a degree: 10 where they count tenths.
    pub step_centi_c: i16,
}

/// Why a map can not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// The unit's address is no head's.
    Unit(u8),
    /// The registers are too far apart to be read at once.
    Apart(u16),
    /// A step of nothing or less.
    Step(i16),
}

impl core::fmt::Display for MapError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            MapError::Unit(unit) => write!(f, "{unit} is no address of a head: it must be 1 to 247"),
            MapError::Apart(apart) => write!(
                f,
                "its registers are {apart} apart: both must lie within {MAX_REGISTERS}, to be read in one answer"
            ),
            MapError::Step(step) => {
                write!(f, "a step of {step} hundredths is none: give 1 for hundredths, 10 for tenths")
            }
        }
    }
}

impl core::error::Error for MapError {}

/// Asks a head, and finds its answers in a stream of bytes.
#[derive(Debug)]
pub struct Parser {
    map: Map,
    request: [u8; REQUEST_BYTES],
    asked: ModbusRequest,
    newest: heapless::Deque<u8, MAX_ANSWER_BYTES>,
}

impl Parser {
    /// A parser of a head's answers.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn new(map: Map) -> Result<Parser, MapError> {
        if !(1..=247).contains(&map.unit) {
            return Err(MapError::Unit(map.unit));
        }
        if map.step_centi_c <= 0 {
            return Err(MapError::Step(map.step_centi_c));
        }
        let (first, apart) = (map.first(), map.object_register.abs_diff(map.ambient_register));
        if apart >= MAX_REGISTERS {
            return Err(MapError::Apart(apart));
        }
        let mut asked = ModbusRequest::new(map.unit, ModbusProto::Rtu);
        let mut frame = heapless::Vec::<u8, 16>::new();
        let made: Result<(), ErrorKind> = match map.function {
            Function::Holding => asked.generate_get_holdings(first, apart + 1, &mut frame),
            Function::Input => asked.generate_get_inputs(first, apart + 1, &mut frame),
        };
        // A request for registers is 8 bytes, whichever they are, and there is room for 16.
        let request = made.ok().and_then(|()| frame.as_slice().try_into().ok()).unwrap_or_default();
        Ok(Parser { map, request, asked, newest: heapless::Deque::new() })
    }

    /// Asks the head for one reading.
    pub fn request(&self) -> &[u8; REQUEST_BYTES] {
        &self.request
    }

    /// Takes one byte; gives a reading when it completes an answer.
    pub fn push(&mut self, byte: u8) -> Option<Reading> {
        let size = OVERHEAD_BYTES + 2 * usize::from(self.asked.count);
        while self.newest.len() >= size {
            self.newest.pop_front();
        }
        self.newest.push_back(byte).ok()?;
        if self.newest.len() < size {
            return None;
        }
        let reading = self.answer()?;
        self.newest.clear();
        Some(reading)
    }

    fn answer(&self) -> Option<Reading> {
        let mut bytes = heapless::Vec::<u8, MAX_ANSWER_BYTES>::new();
        bytes.extend(self.newest.iter().copied());
        if usize::from(*bytes.get(2)?) + OVERHEAD_BYTES != bytes.len() {
            return None;
        }
        let mut registers = heapless::Vec::<i16, { MAX_REGISTERS as usize }>::new();
        // Unit, function and CRC it checks.
        self.asked.parse_i16(&bytes, &mut registers).ok()?;
        let value = |register: u16| registers.get(usize::from(register - self.map.first())).copied();
        let temp_centi_c = value(self.map.object_register)?.checked_mul(self.map.step_centi_c)?;
        let ambient_centi_c = value(self.map.ambient_register)?.checked_mul(self.map.step_centi_c)?;
        Some(Reading::of(temp_centi_c, ambient_centi_c))
    }
}

/// The answer of a head for a reading, as far as its registers can say it: for simulated heads and tests.
pub fn answer(map: Map, reading: Reading) -> heapless::Vec<u8, MAX_ANSWER_BYTES> {
    let registers = map.object_register.abs_diff(map.ambient_register) + 1;
    let function = match map.function {
        Function::Holding => 3,
        Function::Input => 4,
    };
    let mut frame = heapless::Vec::<u8, MAX_ANSWER_BYTES>::new();
    // A map that can be read has so few registers that all of it has room.
    let mut put = |bytes: &[u8]| frame.extend_from_slice(bytes).unwrap_or_default();
    put(&[map.unit, function, 2 * registers as u8]);
    for register in map.first()..=map.first() + (registers - 1) {
        let value = match register {
            at if at == map.object_register => reading.temp_centi_c / map.step_centi_c,
            at if at == map.ambient_register => reading.ambient_centi_c / map.step_centi_c,
            _ => 0,
        };
        put(&value.to_be_bytes());
    }
    let crc = crc_of(&frame).to_le_bytes();
    frame.extend_from_slice(&crc).unwrap_or_default();
    frame
}

/// CRC-16/MODBUS: polynomial A001 reflected, begun with FFFF (Modbus over serial line 1.02, appendix B).
fn crc_of(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xa001 } else { crc >> 1 })
    })
}

impl Map {
    fn first(&self) -> u16 {
        self.object_register.min(self.ambient_register)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const MAP: Map =
        Map { unit: 1, function: Function::Holding, object_register: 0, ambient_register: 1, step_centi_c: 10 };

    fn parser(map: Map) -> Parser {
        Parser::new(map).expect("a good map")
    }

    fn readings(map: Map, bytes: &[u8]) -> Vec<Reading> {
        let mut parser = parser(map);
        bytes.iter().filter_map(|&byte| parser.push(byte)).collect()
    }

    fn with_crc(body: &[u8]) -> Vec<u8> {
        [body, &crc_of(body).to_le_bytes()].concat()
    }

    #[test]
    fn the_request_is_that_of_the_specification() {
        // Two registers from 0 of unit 1: the CRC of every Modbus primer.
        assert_eq!(parser(MAP).request(), &[0x01, 0x03, 0x00, 0x00, 0x00, 0x02, 0xc4, 0x0b]);
        let map = Map { function: Function::Input, object_register: 0x10, ambient_register: 0x12, ..MAP };
        assert_eq!(parser(map).request()[..6], [0x01, 0x04, 0x00, 0x10, 0x00, 0x03]);
    }

    #[test]
    fn an_answer_is_read_by_the_map() {
        let answer = with_crc(&[1, 3, 4, 0x01, 0x6d, 0xff, 0xf6]);
        assert_eq!(readings(MAP, &answer), [Reading::of(3650, -100)]);
        let map = Map { object_register: 7, ambient_register: 5, step_centi_c: 1, ..MAP };
        let answer = with_crc(&[1, 3, 6, 0x08, 0x98, 0, 0, 0x0e, 0x42]);
        assert_eq!(readings(map, &answer), [Reading::of(3650, 2200)]);
    }

    #[test]
    fn a_reading_is_answered_and_read() {
        let reading = Reading::of(3640, -230);
        for map in [MAP, Map { object_register: 9, ambient_register: 4, step_centi_c: 1, ..MAP }] {
            assert_eq!(readings(map, &answer(map, reading)), [reading]);
        }
    }

    #[test]
    fn an_answer_of_another_unit_function_or_length_a_wrong_crc_and_an_exception_are_no_reading() {
        let mut wrong = with_crc(&[1, 3, 4, 0x01, 0x6d, 0x00, 0xdc]);
        wrong[8] ^= 1;
        let other_unit = with_crc(&[2, 3, 4, 0x01, 0x6d, 0x00, 0xdc]);
        let other_function = with_crc(&[1, 4, 4, 0x01, 0x6d, 0x00, 0xdc]);
        let other_length = with_crc(&[1, 3, 2, 0x01, 0x6d, 0x00, 0xdc]);
        let exception = with_crc(&[1, 0x83, 2]);
        for answer in [wrong, other_unit, other_function, other_length, exception] {
            assert_eq!(readings(MAP, &answer), [], "{answer:x?}");
        }
    }

    #[test]
    fn a_value_that_is_no_temperature_is_no_reading() {
        assert_eq!(readings(MAP, &with_crc(&[1, 3, 4, 0x7f, 0xff, 0x00, 0xdc])), []);
    }

    #[test]
    fn a_map_that_can_not_be_read_is_refused() {
        let refused = |map| Parser::new(map).err();
        assert_eq!(refused(Map { unit: 0, ..MAP }), Some(MapError::Unit(0)));
        assert_eq!(refused(Map { ambient_register: 16, ..MAP }), Some(MapError::Apart(16)));
        assert_eq!(refused(Map { step_centi_c: 0, ..MAP }), Some(MapError::Step(0)));
        assert_eq!(refused(Map { object_register: u16::MAX, ambient_register: u16::MAX - 1, ..MAP }), None);
    }
}
