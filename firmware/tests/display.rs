//! Screens that the gate paints itself: what reaches a framebuffer's bytes and a picture's file, and what is told when
//! they are not there. The framebuffer here is a file with a description beside it, as the kernel gives one.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use menshen_gate::board::Rotate;
use menshen_gate::display::{Console, Framebuffer, PictureFile, Place};
use menshen_lane::display::Canvas;
use menshen_lane::ports::{Area, Display, Picture, PortError};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;
/// More than a row needs, as real ones have.
const SLACK: usize = 64;

/// A framebuffer of so many bits a pixel, in a folder.
fn place(folder: &Path, bits: usize, size: (u32, u32)) -> Place {
    place_with(folder, bits, size, SLACK)
}

fn place_with(folder: &Path, bits: usize, size: (u32, u32), slack: usize) -> Place {
    let (sysfs, stride) = (folder.join("graphics"), size.0 as usize * bits / 8 + slack);
    let fb = sysfs.join("fb0");
    fs::create_dir_all(&fb).unwrap();
    fs::create_dir_all(sysfs.join("fbcon")).unwrap();
    for (name, text) in [
        ("virtual_size", format!("{},{}\n", size.0, size.1)),
        ("bits_per_pixel", format!("{bits}\n")),
        ("stride", format!("{stride}\n")),
        ("mode", "\n".to_owned()),
        ("pan", "0,0\n".to_owned()),
        ("blank", "1".to_owned()),
    ] {
        fs::write(fb.join(name), text).unwrap();
    }
    fs::write(sysfs.join("fbcon/cursor_blink"), "1").unwrap();
    fs::write(folder.join("tty0"), "").unwrap();
    fs::write(folder.join("fb0"), vec![0xAA; stride * size.1 as usize]).unwrap();
    Place { device: folder.join("fb0"), sysfs, tty: folder.join("tty0") }
}

/// A picture whose corners differ: red at the left of the first row, green at its right, blue at the left of the last.
fn corners(width: u32, height: u32) -> Canvas {
    use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
    use embedded_graphics::prelude::{DrawTarget, Pixel, Point};
    let mut canvas = Canvas::new(width, height);
    let (right, bottom) = (width as i32 - 1, height as i32 - 1);
    let pixels = [
        Pixel(Point::new(0, 0), Rgb888::RED),
        Pixel(Point::new(right, 0), Rgb888::GREEN),
        Pixel(Point::new(0, bottom), Rgb888::BLUE),
    ];
    let Ok(()) = canvas.draw_iter(pixels);
    canvas
}

/// The pixel of a framebuffer, as its bytes are.
fn bytes_at(place: &Place, bits: usize, x: u32, y: u32) -> Vec<u8> {
    let bytes = fs::read(&place.device).unwrap();
    let stride = bytes.len() / HEIGHT as usize;
    let at = y as usize * stride + x as usize * bits / 8;
    bytes[at..at + bits / 8].to_vec()
}

#[test]
fn pixels_reach_the_framebuffer_in_its_own_depth_and_nothing_else_is_touched() {
    for (bits, red, green, blue) in [
        (32, vec![0, 0, 255, 0], vec![0, 255, 0, 0], vec![255, 0, 0, 0]),
        (24, vec![0, 0, 255], vec![0, 255, 0], vec![255, 0, 0]),
        (16, vec![0x00, 0xF8], vec![0xE0, 0x07], vec![0x1F, 0x00]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path(), bits, (WIDTH, HEIGHT));
        let mut framebuffer = Framebuffer::open(&place, Rotate::None).unwrap();
        assert_eq!(framebuffer.size(), (WIDTH, HEIGHT));
        let canvas = corners(WIDTH, HEIGHT);
        framebuffer.show(Picture::of(&canvas), &[canvas.area()]).unwrap();
        assert_eq!(bytes_at(&place, bits, 0, 0), red, "{bits} bits");
        assert_eq!(bytes_at(&place, bits, WIDTH - 1, 0), green, "{bits} bits");
        assert_eq!(bytes_at(&place, bits, 0, HEIGHT - 1), blue, "{bits} bits");
        let bytes = fs::read(&place.device).unwrap();
        let row = WIDTH as usize * bits / 8;
        assert!(
            bytes.chunks(row + SLACK).all(|line| line[row..].iter().all(|byte| *byte == 0xAA)),
            "beside the screen"
        );
    }
}

#[test]
fn only_what_changed_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path(), 32, (WIDTH, HEIGHT));
    let mut framebuffer = Framebuffer::open(&place, Rotate::None).unwrap();
    let canvas = corners(WIDTH, HEIGHT);
    framebuffer.show(Picture::of(&canvas), &[Area { x: 0, y: 0, width: 2, height: 1 }]).unwrap();
    let bytes = fs::read(&place.device).unwrap();
    assert_eq!(bytes[..8], [0, 0, 255, 0, 0, 0, 0, 0]);
    assert!(bytes[8..].iter().all(|byte| *byte == 0xAA));
}

#[test]
fn a_turned_screen_has_its_corners_where_somebody_who_looks_at_it_expects_them() {
    // Where the upper left corner of the picture is on the device, then its upper right one.
    for (rotate, red, green) in [
        (Rotate::None, (0, 0), (WIDTH - 1, 0)),
        (Rotate::Right, (WIDTH - 1, 0), (WIDTH - 1, HEIGHT - 1)),
        (Rotate::Half, (WIDTH - 1, HEIGHT - 1), (0, HEIGHT - 1)),
        (Rotate::Left, (0, HEIGHT - 1), (0, 0)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path(), 32, (WIDTH, HEIGHT));
        let mut framebuffer = Framebuffer::open(&place, rotate).unwrap();
        let (width, height) = framebuffer.size();
        let canvas = corners(width, height);
        framebuffer.show(Picture::of(&canvas), &[canvas.area()]).unwrap();
        assert_eq!(bytes_at(&place, 32, red.0, red.1), [0, 0, 255, 0], "{rotate:?}");
        assert_eq!(bytes_at(&place, 32, green.0, green.1), [0, 255, 0, 0], "{rotate:?}");
        // A piece of it lands where it lies in the whole.
        let whole = fs::read(&place.device).unwrap();
        fs::write(&place.device, vec![0; whole.len()]).unwrap();
        let pieces = canvas.changes(&Canvas::new(width, height));
        framebuffer.show(Picture::of(&canvas), &pieces).unwrap();
        assert_eq!(bytes_at(&place, 32, red.0, red.1), [0, 0, 255, 0], "{rotate:?} by pieces");
        assert_eq!(bytes_at(&place, 32, green.0, green.1), [0, 255, 0, 0], "{rotate:?} by pieces");
    }
}

#[test]
fn what_is_seen_of_a_larger_memory_is_what_is_painted() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path(), 32, (WIDTH, HEIGHT * 2));
    fs::write(place.sysfs.join("fb0/mode"), format!("U:{WIDTH}x{HEIGHT}p-60\n")).unwrap();
    fs::write(place.sysfs.join("fb0/pan"), format!("0,{HEIGHT}\n")).unwrap();
    let mut framebuffer = Framebuffer::open(&place, Rotate::None).unwrap();
    assert_eq!(framebuffer.size(), (WIDTH, HEIGHT));
    let canvas = corners(WIDTH, HEIGHT);
    framebuffer.show(Picture::of(&canvas), &[canvas.area()]).unwrap();
    let bytes = fs::read(&place.device).unwrap();
    let half = bytes.len() / 2;
    assert!(bytes[..half].iter().all(|byte| *byte == 0xAA));
    assert_eq!(bytes[half..half + 4], [0, 0, 255, 0]);
}

#[test]
fn a_screen_that_goes_or_changes_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path(), 32, (WIDTH, HEIGHT));
    let mut framebuffer = Framebuffer::open(&place, Rotate::None).unwrap();
    assert_eq!(framebuffer.check(), Ok(()));
    fs::write(place.sysfs.join("fb0/virtual_size"), "800,480\n").unwrap();
    let error = framebuffer.check().unwrap_err().to_string();
    assert!(error.contains("is another one now"), "{error}");
    fs::remove_dir_all(place.sysfs.join("fb0")).unwrap();
    let error = framebuffer.check().unwrap_err();
    assert!(matches!(&error, PortError::Absent(told) if told.contains("check its cable")), "{error}");
    let error = Framebuffer::open(&place, Rotate::None).map(drop).unwrap_err().to_string();
    assert!(error.contains("`display.device`"), "{error}");
}

#[test]
fn a_form_that_is_not_known_is_refused_in_one_sentence() {
    for (bits, size, said) in [(8, (WIDTH, HEIGHT), "8 bits a pixel"), (32, (128, 64), "nothing can be read")] {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path(), bits, size);
        let error = Framebuffer::open(&place, Rotate::None).map(drop).unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn the_console_leaves_the_screen_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path(), 32, (WIDTH, HEIGHT));
    Console.quieten(&place);
    let read = |name: &str| fs::read_to_string(place.sysfs.join(name)).unwrap();
    assert_eq!((read("fbcon/cursor_blink"), read("fb0/blank")), ("0".to_owned(), "0".to_owned()));
    assert_eq!(fs::read(&place.tty).unwrap(), b"\x1b[?25l\x1b[9;0]\x1b[14;0]");
}

#[test]
fn a_picture_is_whole_and_says_that_it_keeps_what_it_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("screen.png");
    let mut file = PictureFile::new(path.clone(), (WIDTH, HEIGHT), Rotate::None);
    assert!(file.keeps(), "so nothing about a person is painted on it");
    let canvas = corners(WIDTH, HEIGHT);
    file.show(Picture::of(&canvas), &[canvas.area()]).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(fs::File::open(&path).unwrap())).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!((info.width, info.height), (WIDTH, HEIGHT));
    assert_eq!(bytes[..3], [255, 0, 0]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    fs::remove_dir_all(folder.path()).unwrap();
    let error = file.show(Picture::of(&canvas), &[]).unwrap_err().to_string();
    assert!(error.contains("can not be written") && error.contains("`display`"), "{error}");
}

#[test]
fn a_picture_is_for_the_gates_user_alone_whatever_lay_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("screen.png");
    for name in ["screen.png", "screen.png.new"] {
        let path = folder.path().join(name);
        fs::write(&path, "of a gate that was killed").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    }
    let canvas = corners(WIDTH, HEIGHT);
    let mut file = PictureFile::new(path.clone(), (WIDTH, HEIGHT), Rotate::None);
    file.show(Picture::of(&canvas), &[canvas.area()]).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn rows_without_a_gap_between_them_are_all_written_where_they_belong() {
    let folder = tempfile::tempdir().unwrap();
    let place = place_with(folder.path(), 32, (WIDTH, HEIGHT), 0);
    let mut framebuffer = Framebuffer::open(&place, Rotate::None).unwrap();
    let canvas = corners(WIDTH, HEIGHT);
    let last_row = Area { x: WIDTH - 1, y: HEIGHT - 1, width: 1, height: 1 };
    for area in [last_row, Area { x: 0, y: 0, width: WIDTH, height: 1 }, canvas.area()] {
        framebuffer.show(Picture::of(&canvas), &[area]).unwrap();
        let bytes = fs::read(&place.device).unwrap();
        let row = area.y as usize * WIDTH as usize * 4;
        assert!(bytes[row..row + WIDTH as usize * 4].iter().all(|byte| *byte != 0xAA), "{area:?}");
    }
    let whole: Vec<u8> = canvas.pixels().iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
    assert_eq!(fs::read(&place.device).unwrap(), whole);
}
