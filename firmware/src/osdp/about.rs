//! What this reader says of itself.
//!
//! It has one reader that gives raw bits, and neither inputs nor outputs. It says that it has a light and a sounder,
//! because panels take a reader without them for broken, and takes commands for them without showing anything.

use osdp::caps::{Capability, FunctionCode};
use osdp::command::CommandCode;
use osdp::reply::{IStatR, LStatR, Nak, NakErrorCode, OStatR, PdId, RStatR, Reply};

use super::card::Card;
use super::inbox::MAX_PACKET_BYTES;

/// The format code of bits with a parity bit at both ends.
pub(super) const WIEGAND: u8 = 1;
/// Nobody's: this house has no number of the IEEE.
const VENDOR: [u8; 3] = [0; 3];
const MODEL: u8 = 1;
const VERSION: u8 = 1;

/// Who this is; the serial number is the gate's own number, so it is another one at each gate of a site.
pub(super) fn id(card: Card) -> PdId {
    let mut parts = env!("CARGO_PKG_VERSION").split('.').map(|part| part.parse().unwrap_or(0));
    let firmware = std::array::from_fn(|_| parts.next().unwrap_or(0));
    PdId { vendor_oui: VENDOR, model: MODEL, version: VERSION, serial: card.number(), firmware }
}

/// By what a panel with a master key finds the key of this reader.
pub(super) fn cuid(id: &PdId) -> [u8; 8] {
    let ([a, b, c], [s0, s1, s2, _]) = (id.vendor_oui, id.serial.to_le_bytes());
    [a, b, c, id.model, id.version, s0, s1, s2]
}

/// What it can do.
pub(super) fn capabilities(is_secure: bool) -> Vec<Capability> {
    let [size_low, size_high] = u16::try_from(MAX_PACKET_BYTES).unwrap_or(u16::MAX).to_le_bytes();
    let can =
        |function: FunctionCode, compliance, number_of| Capability { code: function.as_byte(), compliance, number_of };
    vec![
        // Raw bits.
        can(FunctionCode::CardDataFormat, 1, 0),
        // On and off; by time.
        can(FunctionCode::LedControl, 1, 1),
        can(FunctionCode::AudibleOutput, 1, 1),
        // CRC.
        can(FunctionCode::CheckCharacter, 1, 0),
        // AES-128, and never the default key.
        can(FunctionCode::CommunicationSecurity, u8::from(is_secure), 0),
        can(FunctionCode::ReceiveBufferSize, size_low, size_high),
        can(FunctionCode::LargestCombinedSize, size_low, size_high),
        can(FunctionCode::Readers, 0, 1),
        // SIA OSDP 2.2.
        can(FunctionCode::OsdpVersion, 2, 0),
    ]
}

/// How it is: not opened, powered, connected.
pub(super) fn status(asked: CommandCode) -> Reply {
    match asked {
        CommandCode::IStat => Reply::IStatR(IStatR { inputs: Vec::new() }),
        CommandCode::OStat => Reply::OStatR(OStatR { outputs: Vec::new() }),
        CommandCode::RStat => Reply::RStatR(RStatR { readers: vec![0] }),
        _ => Reply::LStatR(LStatR { tamper: 0, power: 0 }),
    }
}

/// That it will not, and why.
pub(super) fn refusal(why: NakErrorCode) -> Reply {
    Reply::Nak(Nak::simple(why))
}
