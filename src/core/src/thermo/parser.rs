//! Every protocol behind one parser, so that a port need not know which unit is on it.

use super::modbus_head::{self, Map, MapError};
use super::{Reading, cjmcu_90614, gy_mcu90614, rqvk002, summed};

/// What a unit speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// GY-MCU90614 and GY-MCU90615.
    GyMcu90614,
    /// CJMCU-90614.
    Cjmcu90614,
    /// RQVK002.
    Rqvk002,
    /// A Modbus-RTU head with its registers.
    ModbusRtu(Map),
}

impl Protocol {
    /// Those of units that say by themselves what they are: they stream, or begin to when they are told.
    pub const STREAMING: [Protocol; 3] = [Protocol::GyMcu90614, Protocol::Cjmcu90614, Protocol::Rqvk002];

    /// A stable name for board files and the panel.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::GyMcu90614 => "gy-mcu90614",
            Protocol::Cjmcu90614 => "cjmcu-90614",
            Protocol::Rqvk002 => "rqvk002",
            Protocol::ModbusRtu(_) => "modbus-rtu",
        }
    }

    /// The speeds that a unit of this kind is sold with, the usual one first, in baud.
    pub const fn bauds(self) -> &'static [u32] {
        match self {
            Protocol::GyMcu90614 => &[9600, 115_200],
            Protocol::Cjmcu90614 => &[115_200, 9600, 57_600],
            Protocol::Rqvk002 => &[19_200],
            Protocol::ModbusRtu(_) => &[9600, 19_200],
        }
    }
}

/// Finds readings in a stream of bytes.
#[derive(Debug)]
pub enum Parser {
    /// Of a GY-MCU90614.
    GyMcu90614(summed::Parser),
    /// Of a CJMCU-90614.
    Cjmcu90614(summed::Parser),
    /// Of an RQVK002.
    Rqvk002(rqvk002::Parser),
    /// Of a Modbus-RTU head.
    ModbusRtu(modbus_head::Parser),
}

impl Parser {
    /// A parser that has seen nothing.
    ///
    /// # Errors
    /// [`MapError`] of a head whose map can not be read.
    pub fn new(protocol: Protocol) -> Result<Parser, MapError> {
        Ok(match protocol {
            Protocol::GyMcu90614 => Parser::GyMcu90614(gy_mcu90614::parser()),
            Protocol::Cjmcu90614 => Parser::Cjmcu90614(cjmcu_90614::parser()),
            Protocol::Rqvk002 => Parser::Rqvk002(rqvk002::Parser::new()),
            Protocol::ModbusRtu(map) => Parser::ModbusRtu(modbus_head::Parser::new(map)?),
        })
    }

    /// Takes one byte; gives a reading when it completes one.
    pub fn push(&mut self, byte: u8) -> Option<Reading> {
        match self {
            Parser::GyMcu90614(parser) => parser.push(byte),
            Parser::Cjmcu90614(parser) => parser.push(byte),
            Parser::Rqvk002(parser) => parser.push(byte),
            Parser::ModbusRtu(parser) => parser.push(byte),
        }
    }

    /// What makes a unit stream, to be sent once; empty for one that streams anyway or never does.
    pub const fn stream_command(&self) -> &'static [u8] {
        match self {
            Parser::GyMcu90614(_) => &gy_mcu90614::COMMAND_STREAM,
            Parser::Cjmcu90614(_) => &cjmcu_90614::COMMAND_STREAM,
            Parser::Rqvk002(_) | Parser::ModbusRtu(_) => &[],
        }
    }

    /// What asks a unit for one reading, to be sent for each; `None` of a unit that streams.
    pub fn request(&self) -> Option<&[u8]> {
        match self {
            Parser::GyMcu90614(_) | Parser::Cjmcu90614(_) | Parser::Rqvk002(_) => None,
            Parser::ModbusRtu(parser) => Some(parser.request()),
        }
    }
}
