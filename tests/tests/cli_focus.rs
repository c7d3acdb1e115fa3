//! `menshen focus` on cameras that need no device: a folder and a recording, through the gate's own adapters.

use menshen::scene::{self, Camera};
use menshen_lane::optics::{Frame, Y4mWriter};
use menshen_tests::cli::{Desk, names};
use serde_json::Value;
use std::fs;
use std::path::Path;

const BOARDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../boards");

/// A code as a gate sees it, blurred like this by the lens.
fn frame(sigma_px: f32) -> Frame {
    let sharp = scene::render(&menshen::qr::qr("a code to focus on").expect("it fits"), &Camera::easy(), 1);
    let luma = image::GrayImage::from_raw(sharp.width(), sharp.height(), sharp.into_luma()).expect("a whole frame");
    let blurred = image::imageops::blur(&luma, sigma_px);
    Frame::new(blurred.width(), blurred.height(), blurred.into_raw()).expect("a frame")
}

/// A desk whose camera is a recording of these frames.
fn recorded(frames: &[Frame]) -> Desk {
    let desk = Desk::empty();
    let board = format!("inherits = [\"{BOARDS}/sim.toml\"]\n[camera]\nkind = \"y4m\"\npath = \"lens.y4m\"\n");
    fs::write(desk.path("board.toml"), board).expect("the desk is writable");
    let file = fs::File::create(desk.path("lens.y4m")).expect("the desk is writable");
    let mut writer = Y4mWriter::new(file, frames[0].width(), frames[0].height(), 10).expect("a frame's size");
    frames.iter().for_each(|frame| writer.write(frame).expect("the desk is writable"));
    desk
}

#[test]
fn a_lens_that_is_turned_to_the_sharpest_point_and_beyond_is_followed_in_json() {
    let desk = recorded(&[4.0, 2.0, 0.6, 2.0].map(frame));
    let ran = desk.menshen(["focus", "--board", "board.toml", "--state", ".", "--json"]).ends(0);
    let lines = ran.json();
    let stable =
        ["focus", "best", "sharpness", "mean_luma", "white_share", "black_share", "light", "width", "height", "code"];
    assert_eq!(names(&lines[0]), stable.into());
    let of = |name: &str| -> Vec<u64> { lines.iter().map(|line| line[name].as_u64().expect("a number")).collect() };
    let (focus, best) = (of("focus"), of("best"));
    assert!(focus[0] < focus[1] && focus[1] < focus[2] && focus[2] > focus[3], "{focus:?}");
    assert_eq!(best, [focus[0], focus[1], focus[2], focus[2]]);
    let code = &lines[2]["code"];
    assert_eq!(names(code), ["left", "top", "right", "bottom", "module_px", "read", "advice"].into());
    assert_eq!(code["read"], true);
}

#[test]
fn the_folder_of_the_simulated_board_prints_a_line_and_ends() {
    let desk = Desk::empty();
    fs::create_dir(desk.path("camera")).expect("the desk is writable");
    scene::save_png(&frame(0.5), desk.path("camera/1.png")).expect("the desk is writable");
    let sim = Path::new(BOARDS).join("sim.toml");
    let words = ["focus", "--board", sim.to_str().expect("UTF-8"), "--state", ".", "--frames", "3"];
    let ran = desk.menshen(words).ends(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!((1..=3).contains(&lines.len()), "{ran:#?}");
    assert!(lines.iter().all(|line| line.contains('#') && line.contains("best") && line.contains("最高")), "{ran:#?}");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_frame_without_edges_has_no_number_and_no_code() {
    let desk = recorded(&[Frame::new(64, 64, vec![20; 4096]).expect("a frame")]);
    let ran = desk.menshen(["focus", "--board", "board.toml", "--state", ".", "--json"]).ends(0);
    let line = &ran.json()[0];
    assert_eq!([&line["focus"], &line["best"], &line["code"]], [&Value::Null; 3]);
    assert_eq!(
        (&line["mean_luma"], &line["light"], &line["sharpness"]),
        (&20.into(), &"too_dark".into(), &"none".into())
    );
}

#[test]
fn a_camera_that_is_not_there_is_told_as_the_gate_tells_it() {
    let desk = Desk::empty();
    let sim = Path::new(BOARDS).join("sim.toml");
    let ran = desk.menshen(["focus", "--board", sim.to_str().expect("UTF-8"), "--state", "nowhere"]).ends(2);
    assert!(ran.sentence().contains("camera folder") && ran.sentence().contains("make it"), "{ran:#?}");
    assert!(desk.menshen(["focus", "--board", "absent.toml"]).ends(2).sentence().contains("absent.toml"));
}
