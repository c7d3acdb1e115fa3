//! The bit stream of a symbol: segments in, bytes with their character sets out
//! (ISO/IEC 18004:2015 §7.4, and GB/T 18284 for the Hanzi mode).
//!
//! It walks the stream itself, because the walk is the last check against a
//! false reading: every mode must exist, every count fit, every value be in its
//! range. Invariants: never more is read than there is; a stream without text
//! is refused.

/// Characters of the alphanumeric mode in the order of their values.
const ALPHANUMERIC: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
/// Separates fields where a symbol has FNC1 (§7.4.8).
const GROUP_SEPARATOR: u8 = 0x1D;

/// How the bytes from `start` to the next span are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) charset: Charset,
}

/// The character set of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// Of the numeric and alphanumeric modes.
    Ascii,
    /// Byte mode without a designator: to be guessed.
    Unknown,
    /// Byte mode after this designator.
    Eci(u32),
    /// Shift_JIS, of the Kanji mode.
    Kanji,
    /// GB 2312, of the Hanzi mode.
    Hanzi,
}

/// What a stream holds; kept to be filled anew.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) spans: Vec<Span>,
}

/// Whether the padding after the terminator must be as the standard has it.
/// Some encoders pad oddly, so it is asked for only where doubt remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    Any,
    Standard,
}

/// Parses `stream`, the data codewords of a symbol of `version`, into
/// `content`. `None` if it is not a sound stream with some text in it.
pub(super) fn parse(stream: &[u8], version: u8, padding: Padding, content: &mut Content) -> Option<()> {
    content.bytes.clear();
    content.spans.clear();
    let mut bits = Bits { stream, at: 0 };
    let mut state = State { version, eci: None, fnc1: false };
    loop {
        if bits.left() < 4 {
            break;
        }
        let mode = bits.take(4)?;
        if mode == 0 {
            break;
        }
        state.segment(mode, &mut bits, content)?;
    }
    let sound = padding == Padding::Any || bits.ends_in_padding();
    (sound && !content.bytes.is_empty()).then_some(())
}

struct State {
    version: u8,
    eci: Option<u32>,
    fnc1: bool,
}

impl State {
    fn segment(&mut self, mode: u32, bits: &mut Bits<'_>, content: &mut Content) -> Option<()> {
        match mode {
            1 => {
                let count = bits.take(self.count_bits([10, 12, 14]))?;
                content.open(Charset::Ascii);
                numeric(bits, count, content)
            }
            2 => {
                let count = bits.take(self.count_bits([9, 11, 13]))?;
                content.open(Charset::Ascii);
                alphanumeric(bits, count, self.fnc1, content)
            }
            // Structured append: which part this is, of how many, and a parity.
            3 => bits.take(16).map(drop),
            4 => {
                let count = bits.take(self.count_bits([8, 16, 16]))?;
                content.open(self.eci.map_or(Charset::Unknown, Charset::Eci));
                (0..count).try_for_each(|_| bits.take(8).map(|byte| content.bytes.push(byte as u8)))
            }
            5 => {
                self.fnc1 = true;
                Some(())
            }
            7 => {
                self.eci = Some(designator(bits)?);
                Some(())
            }
            8 => {
                let count = bits.take(self.count_bits([8, 10, 12]))?;
                content.open(Charset::Kanji);
                (0..count).try_for_each(|_| double_byte(bits, 0xC0, 0x1F00, [0x8140, 0xC140], content))
            }
            9 => {
                self.fnc1 = true;
                content.open(Charset::Ascii);
                application(bits, content)
            }
            13 => {
                // The one subset there is: GB 2312.
                (bits.take(4)? == 1).then_some(())?;
                let count = bits.take(self.count_bits([8, 10, 12]))?;
                content.open(Charset::Hanzi);
                (0..count).try_for_each(|_| double_byte(bits, 0x60, 0x0A00, [0xA1A1, 0xA6A1], content))
            }
            _ => None,
        }
    }

    /// Bits of a character count (table 3), for versions to 9, to 26, to 40.
    fn count_bits(&self, widths: [usize; 3]) -> usize {
        match self.version {
            0..=9 => widths[0],
            10..=26 => widths[1],
            _ => widths[2],
        }
    }
}

fn numeric(bits: &mut Bits<'_>, mut count: u32, content: &mut Content) -> Option<()> {
    while count > 0 {
        let digits = count.min(3);
        let value = bits.take(1 + 3 * digits as usize)?;
        if value >= 10_u32.pow(digits) {
            return None;
        }
        let digit = |power: u32| b'0' + (value / 10_u32.pow(power) % 10) as u8;
        content.bytes.extend((0..digits).rev().map(digit));
        count -= digits;
    }
    Some(())
}

fn alphanumeric(bits: &mut Bits<'_>, mut count: u32, fnc1: bool, content: &mut Content) -> Option<()> {
    let start = content.bytes.len();
    while count > 1 {
        let pair = bits.take(11)? as usize;
        content.bytes.push(*ALPHANUMERIC.get(pair / 45)?);
        content.bytes.push(ALPHANUMERIC[pair % 45]);
        count -= 2;
    }
    if count == 1 {
        content.bytes.push(*ALPHANUMERIC.get(bits.take(6)? as usize)?);
    }
    if fnc1 {
        separate(&mut content.bytes, start);
    }
    Some(())
}

/// Under FNC1, `%` is the separator and `%%` is `%` (§7.4.8.2).
fn separate(bytes: &mut Vec<u8>, start: usize) {
    let (mut from, mut to) = (start, start);
    while from < bytes.len() {
        let double = bytes[from] == b'%' && bytes.get(from + 1) == Some(&b'%');
        bytes[to] = if bytes[from] == b'%' && !double { GROUP_SEPARATOR } else { bytes[from] };
        from += if double { 2 } else { 1 };
        to += 1;
    }
    bytes.truncate(to);
}

/// One character of 13 bits: a double byte less its base, in rows of `row`.
fn double_byte(bits: &mut Bits<'_>, row: u32, upper_from: u32, bases: [u32; 2], content: &mut Content) -> Option<()> {
    let value = bits.take(13)?;
    let packed = ((value / row) << 8) | (value % row);
    let code = packed + bases[usize::from(packed >= upper_from)];
    content.bytes.extend(u16::try_from(code).ok()?.to_be_bytes());
    Some(())
}

/// The number of an extended channel interpretation (§7.4.3).
fn designator(bits: &mut Bits<'_>) -> Option<u32> {
    let first = bits.take(8)?;
    match first {
        0..0x80 => Some(first),
        0x80..0xC0 => Some((first & 0x3F) << 8 | bits.take(8)?),
        0xC0..0xE0 => Some((first & 0x1F) << 16 | bits.take(16)?),
        _ => None,
    }
}

/// The application indicator of FNC1 in second position (§7.4.8.3).
fn application(bits: &mut Bits<'_>, content: &mut Content) -> Option<()> {
    let indicator = bits.take(8)? as u8;
    match indicator {
        0..100 => content.bytes.extend([b'0' + indicator / 10, b'0' + indicator % 10]),
        165..=190 | 197..=222 => content.bytes.push(indicator - 100),
        _ => return None,
    }
    Some(())
}

impl Content {
    fn open(&mut self, charset: Charset) {
        if self.spans.last().is_none_or(|last| last.charset != charset) {
            self.spans.push(Span { start: self.bytes.len(), charset });
        }
    }
}

struct Bits<'a> {
    stream: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn left(&self) -> usize {
        8 * self.stream.len() - self.at
    }

    /// The next `count` bits, 16 at most.
    fn take(&mut self, count: usize) -> Option<u32> {
        if count > self.left() {
            return None;
        }
        let byte = |at: usize| u32::from(self.stream.get(at).copied().unwrap_or(0));
        let first = self.at / 8;
        let window = byte(first) << 16 | byte(first + 1) << 8 | byte(first + 2);
        let value = window << 8 << (self.at % 8) >> (32 - count);
        self.at += count;
        Some(value)
    }

    /// Whether the rest is zeros to the next byte and then the pad codewords.
    fn ends_in_padding(mut self) -> bool {
        let rest = self.left() % 8;
        if rest > 0 && self.take(rest) != Some(0) {
            return false;
        }
        let pads = [0xEC, 0x11].iter().cycle();
        self.stream[self.at / 8..].iter().zip(pads).all(|(byte, pad)| byte == pad)
    }
}
