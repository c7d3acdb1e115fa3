//! The built-in type inside a PDF: a composite font with only the glyphs that the sheet uses.
//!
//! Glyphs get their number in the order in which pages ask for them, so that pages can be written before
//! the font is: the font goes to the file last. The subset is a CID-keyed TrueType font (ISO 32000-1,
//! 9.7.4.2) and carries a ToUnicode map (9.10.3), so that text can be searched and read aloud.

use std::collections::BTreeMap;

use ab_glyph::Font;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Chunk, Filter, Finish, Name, Ref, Str};
use subsetter::GlyphRemapper;

use super::SheetError;
use super::deflate::zlib;
use super::text::{self, Sort, TYPE_BYTES};

/// The glyphs that the sheet has used so far.
pub(super) struct UsedGlyphs {
    remapper: GlyphRemapper,
    /// For each glyph of the subset: the character it shows and its advance in thousandths of the em.
    shown: BTreeMap<u16, (char, f32)>,
}

/// The numbers of the five objects that make up the font.
pub(super) struct FontRefs {
    pub(super) font: Ref,
    pub(super) descendant: Ref,
    pub(super) descriptor: Ref,
    pub(super) program: Ref,
    pub(super) to_unicode: Ref,
}

const CMAP_NAME: Name<'static> = Name(b"Menshen-Unicode");
const IDENTITY: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

impl UsedGlyphs {
    pub(super) fn new() -> Self {
        Self { remapper: GlyphRemapper::new(), shown: BTreeMap::new() }
    }

    /// A line as the bytes of a PDF string: two for each glyph.
    pub(super) fn encode(&mut self, line: &str) -> Vec<u8> {
        text::sorts(line).flat_map(|sort| self.number(sort).to_be_bytes()).collect()
    }

    fn number(&mut self, sort: Sort) -> u16 {
        let number = self.remapper.remap(sort.glyph.0);
        self.shown.entry(number).or_insert((sort.painted, sort.advance_em * 1000.0));
        number
    }

    /// The font's objects, each in a chunk of its own.
    pub(super) fn objects(&self, refs: &FontRefs) -> Result<Vec<(Ref, Chunk)>, SheetError> {
        let program = subsetter::subset(TYPE_BYTES, 0, &self.remapper).map_err(SheetError::Type)?;
        let name = format!("{}+NotoSansSC-Medium", self.tag());
        let name = Name(name.as_bytes());
        let packed_program = zlib(&program)?;
        let packed_unicode = zlib(self.to_unicode().as_slice())?;
        Ok(vec![
            chunk(refs.font, |c| {
                c.type0_font(refs.font)
                    .base_font(name)
                    .encoding_predefined(Name(b"Identity-H"))
                    .descendant_font(refs.descendant)
                    .to_unicode(refs.to_unicode);
            }),
            chunk(refs.descendant, |c| self.descendant(c, refs, name)),
            chunk(refs.descriptor, |c| descriptor(c, refs, name)),
            chunk(refs.program, |c| {
                c.stream(refs.program, &packed_program)
                    .filter(Filter::FlateDecode)
                    .pair(Name(b"Length1"), i32::try_from(program.len()).unwrap_or(i32::MAX));
            }),
            chunk(refs.to_unicode, |c| {
                c.stream(refs.to_unicode, &packed_unicode).filter(Filter::FlateDecode);
            }),
        ])
    }

    fn descendant(&self, chunk: &mut Chunk, refs: &FontRefs, name: Name<'_>) {
        let mut font = chunk.cid_font(refs.descendant);
        font.subtype(CidFontType::Type2)
            .base_font(name)
            .system_info(IDENTITY)
            .font_descriptor(refs.descriptor)
            .default_width(1000.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = font.widths();
        for (&number, &(_, advance)) in &self.shown {
            widths.consecutive(number, [advance]);
        }
        widths.finish();
    }

    fn to_unicode(&self) -> pdf_writer::Buf {
        let mut map = UnicodeCmap::new(CMAP_NAME, IDENTITY);
        for (&number, &(character, _)) in &self.shown {
            map.pair(number, character);
        }
        map.finish()
    }

    /// Six capital letters that name this subset (ISO 32000-1, 9.6.4): the FNV-1a hash of its characters, so
    /// that equal sheets give equal bytes.
    fn tag(&self) -> String {
        let hash = self.shown.values().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &(character, _)| {
            (hash ^ u64::from(u32::from(character))).wrapping_mul(0x0100_0000_01b3)
        });
        (0..6u32).map(|place| char::from(b'A' + (hash / 26u64.pow(place) % 26) as u8)).collect()
    }
}

fn descriptor(chunk: &mut Chunk, refs: &FontRefs, name: Name<'_>) {
    let typeface = text::typeface();
    let (ascent, descent) = (typeface.ascent_unscaled(), typeface.descent_unscaled());
    chunk
        .font_descriptor(refs.descriptor)
        .name(name)
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(pdf_writer::Rect::new(-1010.0, -1010.0, 2930.0, 1810.0))
        .italic_angle(0.0)
        .ascent(ascent)
        .descent(descent)
        .cap_height(733.0)
        .stem_v(100.0)
        .font_file2(refs.program);
}

fn chunk(object: Ref, write: impl FnOnce(&mut Chunk)) -> (Ref, Chunk) {
    let mut chunk = Chunk::new();
    write(&mut chunk);
    (object, chunk)
}
