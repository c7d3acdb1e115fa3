//! Sheets of cards as a reader of PDF finds them: pages, text, bytes, and a disk that is full.

use std::collections::BTreeMap;
use std::io::{Read as _, Write};

use super::*;

fn sheet(cards: usize, layout: Layout) -> (Vec<u8>, SheetSummary) {
    let mut bytes = Vec::new();
    let mut sheet = PdfSheet::new(&mut bytes, layout).unwrap();
    for seed in 0..cards {
        sheet.push(&card(seed)).unwrap();
    }
    let summary = sheet.finish().unwrap();
    (bytes, summary)
}

/// The objects of a PDF by number, found through its cross-reference table as a reader finds them.
fn objects(pdf: &[u8]) -> BTreeMap<usize, &[u8]> {
    let at = |marker: &[u8], from: usize| from + pdf[from..].windows(marker.len()).position(|w| w == marker).unwrap();
    let tail = String::from_utf8_lossy(&pdf[pdf.len() - 60..]).into_owned();
    let start: usize = tail.split("startxref\n").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    let table = String::from_utf8_lossy(&pdf[start..]);
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("xref"));
    let size: usize = lines.next().unwrap().strip_prefix("0 ").unwrap().parse().unwrap();
    lines.next();
    (1..size)
        .map(|number| {
            let position: usize = lines.next().unwrap().split(' ').next().unwrap().parse().unwrap();
            let body = &pdf[position..at(b"endobj", position)];
            assert!(body.starts_with(format!("{number} 0 obj").as_bytes()), "object {number}");
            (number, body)
        })
        .collect()
}

fn stream(object: &[u8]) -> Vec<u8> {
    let start = object.windows(7).position(|w| w == b"stream\n").unwrap() + 7;
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(&object[start..]).read_to_end(&mut plain).unwrap();
    plain
}

#[test]
fn a_sheet_takes_a_character_outside_of_the_type() {
    let mut sheet = PdfSheet::new(Vec::new(), Layout::EightPerPage).unwrap();
    sheet.push(&Card { holder: "王*\u{30edd}".into(), ..card(1) }).unwrap();
    assert!(sheet.finish().is_ok());
}

#[test]
fn fifty_cards_make_seven_pages_that_a_reader_finds() {
    let (pdf, summary) = sheet(50, Layout::EightPerPage);
    assert_eq!(summary, SheetSummary { cards: 50, pages: 7, bytes: pdf.len() as u64 });
    assert!(pdf.starts_with(b"%PDF-1.7\n") && pdf.ends_with(b"%%EOF\n"));
    let objects = objects(&pdf);
    let tree = String::from_utf8_lossy(objects[&2]).into_owned();
    assert!(tree.contains("/Count 7"), "{tree}");
    let kids = tree.split("/Kids [").nth(1).unwrap().split(']').next().unwrap();
    let pages: Vec<usize> = kids.split(" 0 R").filter_map(|n| n.trim().parse().ok()).collect();
    assert_eq!(pages.len(), 7);
    for page in pages {
        assert!(String::from_utf8_lossy(objects[&page]).contains("/Type /Page"), "object {page}");
    }
}

#[test]
fn the_text_of_a_page_can_be_searched() {
    let name = "玥*喆";
    let mut pdf = Vec::new();
    let mut sheet = PdfSheet::new(&mut pdf, Layout::TwoPerPage).unwrap();
    sheet.push(&Card { holder: name.into(), ..card(1) }).unwrap();
    sheet.finish().unwrap();
    let objects = objects(&pdf);
    // What a reader does, backwards: the ToUnicode map's lines are `<glyph> <UTF-16BE>`.
    let map = String::from_utf8(stream(objects[&8])).unwrap();
    let glyph_of: BTreeMap<&str, &str> = map
        .lines()
        .filter_map(|line| line.strip_prefix('<')?.strip_suffix('>')?.split_once("> <"))
        .map(|(glyph, unicode)| (unicode, glyph))
        .collect();
    let glyphs: Vec<u8> = name
        .chars()
        .map(|c| glyph_of[format!("{:04X}", u32::from(c)).as_str()])
        .flat_map(|hex| u16::from_str_radix(hex, 16).unwrap().to_be_bytes())
        .collect();
    let mut shown = pdf_writer::Content::new();
    shown.show(pdf_writer::Str(&glyphs));
    let shown = shown.finish();
    let page = stream(objects[&9]);
    assert!(page.windows(shown.len()).any(|w| w == shown.as_slice()));
}

#[test]
fn a_refused_card_leaves_the_sheet_as_it_was() {
    let mut bytes = Vec::new();
    let mut sheet = PdfSheet::new(&mut bytes, Layout::EightPerPage).unwrap();
    sheet.push(&card(1)).unwrap();
    let too_big = Card { payload: "A".repeat(400), ..card(2) };
    assert!(matches!(sheet.push(&too_big), Err(SheetError::PayloadTooBig { chars: 400, .. })));
    assert!(matches!(sheet.push(&Card { payload: String::new(), ..card(3) }), Err(SheetError::NoPayload { .. })));
    sheet.push(&card(4)).unwrap();
    assert_eq!(sheet.finish().unwrap().cards, 2);
}

#[test]
fn equal_cards_make_equal_bytes() {
    assert_eq!(sheet(9, Layout::EightPerPage).0, sheet(9, Layout::EightPerPage).0);
}

#[test]
fn a_sheet_without_cards_is_refused() {
    let sheet = PdfSheet::new(Vec::new(), Layout::EightPerPage).unwrap();
    assert!(matches!(sheet.finish(), Err(SheetError::NoCards)));
}

#[test]
fn a_full_disk_is_told_as_such() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut sheet = PdfSheet::new(Full(2000), Layout::TwoPerPage).unwrap();
    let told = (0..9).find_map(|seed| sheet.push(&card(seed)).err()).unwrap();
    assert!(matches!(told, SheetError::Write(ref e) if e.kind() == std::io::ErrorKind::StorageFull));
}
