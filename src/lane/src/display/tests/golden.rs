//! Every screen against its picture in `src/lane/tests/golden`, 800 × 480, in both languages.
//!
//! To make the pictures anew after a change that is meant, and then to look at each of them:
//!
//! ```sh
//! MENSHEN_GOLDEN=write cargo test -p menshen-lane golden
//! ```
//!
//! The same screens in another size, to be looked at and not compared, go into a folder: `MENSHEN_LOOK=480x800 MENSHEN_LOOK_IN=/tmp/look`.
//!
//! Pictures have a palette of the colours that differ enough to be seen, so that all of them are small. Edges may differ a
//! little from one processor to the next; a line that moved, or a text that changed, does not pass.

use super::gallery;
use crate::display::{Canvas, lay_out};
use crate::words::Lang;
use std::collections::BTreeMap;
use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

type Rgb = [u8; 3];

const SIZE: (u32, u32) = (800, 480);
/// Colours that are no farther apart, all three parts together, share a place in the palette.
const STEP: u32 = 120;
/// What has more pixels is no edge.
const GROUND_PIXELS: usize = 600;
/// A smooth edge may be rounded otherwise by so much more.
const ROUNDING: u32 = 24;
/// So many pixels may differ by more.
const STRAY_PIXELS: usize = 12;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn paint(case: &gallery::Case, lang: Lang, size: (u32, u32)) -> Vec<Rgb> {
    let mut canvas = Canvas::new(size.0, size.1);
    lay_out(&case.state(&gallery::info(), lang), size.0, size.1).paint(&mut canvas, None);
    // Each part is a byte.
    canvas.pixels().iter().map(|pixel| [16, 8, 0].map(|shift| (pixel >> shift & 0xff) as u8)).collect()
}

fn apart(a: &Rgb, b: &Rgb) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
}

/// The colours of a picture, the most frequent first, none of them near another: smooth edges need few steps.
fn palette(pixels: &[Rgb]) -> Vec<Rgb> {
    let mut counts: BTreeMap<Rgb, usize> = BTreeMap::new();
    for pixel in pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut colours: Vec<(Rgb, usize)> = counts.into_iter().collect();
    colours.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut palette: Vec<Rgb> = Vec::new();
    for (colour, count) in colours {
        // A ground is kept as it is; edges are few pixels.
        let step = if count > GROUND_PIXELS { 0 } else { STEP };
        if palette.len() < 256 && palette.iter().all(|chosen| apart(chosen, &colour) > step) {
            palette.push(colour);
        }
    }
    palette
}

fn write(path: &Path, pixels: &[Rgb], size: (u32, u32)) {
    let palette = palette(pixels);
    let nearest = |pixel: &Rgb| {
        let nearest = palette.iter().enumerate().min_by_key(|(_, colour)| apart(pixel, colour));
        nearest.map_or(0, |(at, _)| u8::try_from(at).expect("there are 256 at most"))
    };
    let mut known: BTreeMap<Rgb, u8> = BTreeMap::new();
    let data: Vec<u8> = pixels.iter().map(|pixel| *known.entry(*pixel).or_insert_with(|| nearest(pixel))).collect();
    let file = BufWriter::new(fs::File::create(path).expect("the folder is there"));
    let mut encoder = png::Encoder::new(file, size.0, size.1);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.set_palette(palette.concat());
    let mut writer = encoder.write_header().expect("the picture can be written");
    writer.write_image_data(&data).expect("the picture can be written");
}

fn read(path: &Path) -> Option<Vec<Rgb>> {
    let file = std::io::BufReader::new(fs::File::open(path).ok()?);
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().ok()?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut bytes).ok()?;
    (info.width == SIZE.0 && info.height == SIZE.1)
        .then(|| bytes.chunks(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]).collect())
}

/// How many pixels differ by more than an edge may.
fn strays(new: &[Rgb], kept: &[Rgb]) -> usize {
    new.iter().zip(kept).filter(|(a, b)| apart(a, b) > STEP + ROUNDING).count()
}

/// In which other size somebody wants to look at the screens, and where they go.
fn looked_at() -> Option<((u32, u32), PathBuf)> {
    let size = std::env::var("MENSHEN_LOOK").ok()?;
    let (width, height) = size.split_once('x')?;
    let size = (width.parse().ok()?, height.parse().ok()?);
    Some((size, std::env::var_os("MENSHEN_LOOK_IN")?.into()))
}

#[test]
fn every_screen_looks_as_it_did_when_somebody_looked_at_it() {
    let writes = std::env::var("MENSHEN_GOLDEN").as_deref() == Ok("write");
    if writes {
        fs::create_dir_all(folder()).expect("the package can be written to");
    }
    let mut wrong = Vec::new();
    let mut wanted = Vec::new();
    for case in gallery::all() {
        for lang in Lang::USUAL {
            let name = format!("{}-{}.png", case.name, lang.name());
            let (path, pixels) = (folder().join(&name), paint(&case, lang, SIZE));
            if writes {
                write(&path, &pixels, SIZE);
            }
            match read(&path) {
                Some(kept) if strays(&pixels, &kept) <= STRAY_PIXELS => {}
                Some(kept) => wrong.push(format!("{name} has {} pixels that differ", strays(&pixels, &kept))),
                None => wrong.push(format!("{name} is not there or no picture of this size")),
            }
            if let Some((size, folder)) = &looked_at() {
                write(&folder.join(&name), &paint(&case, lang, *size), *size);
            }
            wanted.push(name);
        }
    }
    let kept = fs::read_dir(folder()).expect("the pictures are there").flatten();
    let kept = kept.map(|entry| entry.file_name().to_string_lossy().into_owned());
    wrong.extend(kept.filter(|name| !wanted.contains(name)).map(|name| format!("{name} is of no screen")));
    assert!(wrong.is_empty(), "write them anew if this is meant, see the head of the file:\n  {}", wrong.join("\n  "));
}

#[test]
fn a_line_that_moved_by_a_pixel_does_not_pass() {
    let case = &gallery::others()[2];
    let pixels = paint(case, Lang::default(), SIZE);
    let mut moved = pixels.clone();
    // The head's text, one row lower.
    let (width, rows) = (SIZE.0 as usize, 30);
    moved.copy_within(0..width * rows, width);
    assert!(strays(&moved, &pixels) > STRAY_PIXELS);
}
