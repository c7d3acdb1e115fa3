//! Cards as a person and a scanner see them: what they say, where it stands, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot read what it made has failed")]

mod sheets;

use super::*;

/// A payload as long as a real pass: Base45 text, 290 characters.
fn payload(seed: usize) -> String {
    base45(seed, 290)
}

/// `MS1:` and characters of Base45 as random as a signature's (xorshift64).
fn base45(seed: usize, chars: usize) -> String {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let mut state = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let body = (4..chars).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(ALPHABET[(state % 45) as usize])
    });
    "MS1:".chars().chain(body).collect()
}

fn card(seed: usize) -> Card {
    Card {
        payload: payload(seed),
        title_zh: "浙江健康码".into(),
        title_en: "Zhejiang health code".into(),
        holder: format!("张*三 ·· {seed:04}"),
        colour: [CardColour::Green, CardColour::Yellow, CardColour::Red][seed % 3],
        kind_zh: "纸质码".into(),
        kind_en: "Paper pass".into(),
        expires: "2026-12-01 08:00".into(),
        note_zh: Some("凭有效证件与本码通行。".into()),
        note_en: Some("Show with an identity document.".into()),
    }
}

fn picture(card: &Card, width_px: u32) -> image::RgbImage {
    image::load_from_memory(&png(card, width_px).unwrap()).unwrap().to_rgb8()
}

fn read_codes(picture: &image::RgbImage) -> Vec<String> {
    let grey = image::DynamicImage::from(picture.clone()).to_luma8();
    let (width, height) = grey.dimensions();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
        grey.get_pixel(x as u32, y as u32).0[0]
    });
    prepared.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

#[test]
fn a_picture_scans_to_the_payload_at_every_width_offered() {
    for (seed, width_px) in [(1, WIDTH_PX_MIN), (2, 360), (3, 719), (4, 1080)] {
        assert_eq!(read_codes(&picture(&card(seed), width_px)), [payload(seed)], "{width_px} px");
    }
}

#[test]
fn the_longest_payload_of_version_10_m_is_drawn_and_one_more_is_refused_by_name() {
    // With a run of digits inside, which a choice of segments would set apart at a loss.
    let digits = base45(1, 290) + "0123456789" + &base45(2, 11)[4..] + "MS1:";
    let mut long = Card { payload: digits, ..card(1) };
    assert_eq!(long.payload.len(), 311);
    assert_eq!(read_codes(&picture(&long, 720)), [long.payload.clone()]);
    long.payload.push('A');
    let told = png(&long, 720).unwrap_err().to_string();
    assert!(told.contains("张*三 ·· 0001 is 312 characters long"), "{told}");
    assert!(told.contains("10-M"), "{told}");
}

#[test]
fn the_quiet_zone_is_four_white_modules_on_every_side() {
    for length in [1, 40, 120, 311] {
        let short = Card { payload: "A".repeat(length), ..card(1) };
        for scene in [scene::sheet_card(&short).unwrap(), scene::screen_card(&short).unwrap()] {
            let (x, y, side) = code_place(&scene);
            let quiet = 4.0 * side / scene.modules.side() as f32;
            let (near_x, near_y, far) = (x - quiet, y - quiet, side + quiet - 0.001);
            assert!(near_x >= 0.0 && x + far <= scene.width && y + far <= scene.height);
            for (left, top, right, bottom) in scene.marks.iter().filter_map(mark_box) {
                let apart = right <= near_x || left >= x + far || bottom <= near_y || top >= y + far;
                assert!(apart, "{length}: a mark at {left} {top} {right} {bottom}");
            }
        }
    }
}

#[test]
fn the_code_of_a_sheet_card_is_38_mm_wide_from_version_5_up() {
    for length in [100, 150, 200, 250, 290, 311] {
        let card = Card { payload: "A".repeat(length), ..card(1) };
        let scene = scene::sheet_card(&card).unwrap();
        assert!(scene.modules.side() >= 37 && code_place(&scene).2 >= 38.0, "{length}");
    }
}

/// Left, top, right, bottom in millimetres.
type Place = (f32, f32, f32, f32);

fn code_place(scene: &scene::Scene) -> (f32, f32, f32) {
    let code = scene.marks.iter().find_map(|mark| match mark {
        scene::Mark::Qr { x, y, side } => Some((*x, *y, *side)),
        _ => None,
    });
    code.unwrap()
}

/// Where a text or a shape lies.
fn mark_box(mark: &scene::Mark) -> Option<Place> {
    match mark {
        scene::Mark::Fill { corners, .. } => {
            let start = (f32::MAX, f32::MAX, f32::MIN, f32::MIN);
            let widen = |b: Place, c: &(f32, f32)| (b.0.min(c.0), b.1.min(c.1), b.2.max(c.0), b.3.max(c.1));
            Some(corners.iter().fold(start, widen))
        }
        text => text_box(text).map(|(_, place)| place),
    }
}

#[test]
fn two_names_are_painted_differently_and_neither_as_a_box() {
    let (mut zhang, mut jue) = (card(1), card(1));
    zhang.holder = "张*三".into();
    jue.holder = "玥*喆".into();
    assert_ne!(picture(&zhang, 480), picture(&jue, 480));
    for covered in ["张*三 ·· 1234", "玥*喆", "防疫健康信息码 随申码 通信大数据行程卡", "（）：；●▲■✓"]
    {
        assert!(text::sorts(covered).all(|s| s.painted != text::REPLACEMENT), "{covered}");
    }
}

#[test]
fn a_character_outside_of_the_type_is_painted_as_a_box() {
    let (mut rare, mut boxed) = (card(1), card(1));
    rare.holder = "王*\u{30edd}".into();
    boxed.holder = "王*□".into();
    assert_eq!(picture(&rare, 480), picture(&boxed, 480));
}

#[test]
fn a_long_holder_keeps_its_last_digits() {
    let mut long = card(1);
    long.holder = "阿卜杜热合曼·买买提*木 ·· 9921".into();
    for scene in [scene::sheet_card(&long).unwrap(), scene::screen_card(&long).unwrap()] {
        let shown = scene.marks.iter().any(|m| matches!(m, scene::Mark::Text { line, .. } if line.ends_with("9921")));
        assert!(shown);
    }
}

#[test]
fn no_line_passes_the_margin_or_touches_another_however_long_the_texts() {
    let mut long = card(1);
    long.title_en = "W".repeat(300);
    long.holder = "张".repeat(90);
    long.expires = "when the office says so ".repeat(9);
    long.kind_zh = "纸质码".repeat(30);
    long.note_zh = Some("凭".repeat(500));
    for card in [long, card(1)] {
        for scene in [scene::sheet_card(&card).unwrap(), scene::screen_card(&card).unwrap()] {
            let boxes: Vec<_> = scene.marks.iter().filter_map(text_box).collect();
            for (index, (line, (left, top, right, bottom))) in boxes.iter().enumerate() {
                assert!(*right <= scene.width - 3.9 && *bottom < scene.height, "{line}");
                for (other, (l, t, r, b)) in &boxes[..index] {
                    let apart = left >= r || right <= l || top >= b || bottom <= t;
                    assert!(apart, "{line} touches {other}");
                }
            }
        }
    }
}

/// A line and the box of its ink: Chinese in this type reaches 0.85 em above the baseline and 0.08 em below.
fn text_box(mark: &scene::Mark) -> Option<(&str, Place)> {
    match mark {
        scene::Mark::Text { x, baseline, em, line, .. } => {
            let right = x + text::width_em(line) * em;
            Some((line, (*x, baseline - 0.85 * em, right, baseline + 0.08 * em)))
        }
        _ => None,
    }
}

#[test]
fn each_colour_has_a_shape_and_words_that_survive_a_grey_print() {
    let grey = |colour| {
        let coloured = Card { colour, ..card(1) };
        image::DynamicImage::from(picture(&coloured, 480)).to_luma8()
    };
    let pictures = [CardColour::Green, CardColour::Yellow, CardColour::Red].map(grey);
    // Dark or light only: what is left when colour and shade are taken away.
    let bits = pictures.map(|p| p.pixels().map(|p| p.0[0] < 40).collect::<Vec<_>>());
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let differing = bits[a].iter().zip(&bits[b]).filter(|(a, b)| a != b).count();
        assert!(differing > 1000, "{a} and {b} differ in {differing} pixels");
    }
}

#[test]
fn the_expiry_is_spelt_out_and_any_other_text_is_kept() {
    let (zh, en) = words::expiry("2026-12-01 08:00");
    assert_eq!((zh.as_str(), en.as_str()), ("2026年12月1日 08:00", "1 December 2026, 08:00"));
    assert_eq!(words::expiry("见背面").0, "见背面");
}

#[test]
fn a_picture_too_narrow_or_too_wide_is_refused() {
    for width_px in [0, WIDTH_PX_MIN - 1, WIDTH_PX_MAX + 1, u32::MAX] {
        assert!(matches!(png(&card(1), width_px), Err(SheetError::Width { .. })));
    }
}
