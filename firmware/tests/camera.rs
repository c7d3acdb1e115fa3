//! What a gate sees of a folder of pictures and of a Y4M stream.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use menshen_gate::{board, camera};
use menshen_lane::optics::{Frame, Y4mWriter};
use menshen_lane::ports::{Camera, Open, PortError};
use rustix::fs::{CWD, Mode, mkfifoat};

/// Far more than anything here takes, for a machine under load.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for a folder to have been looked at several times.
const A_WHILE: Duration = Duration::from_millis(250);

fn folder_camera(folder: &Path, show_ms: u32) -> Open<dyn Camera> {
    camera::opener(&board::Camera::Folder { path: folder.to_owned(), show_ms }, Path::new("unused"))
}

fn y4m_camera(path: &Path) -> Open<dyn Camera> {
    camera::opener(&board::Camera::Y4m { path: path.to_owned() }, Path::new("unused"))
}

/// A picture of one shade of grey.
fn picture(grey: u8) -> Vec<u8> {
    let mut bytes = b"P5 2 2 255\n".to_vec();
    bytes.extend([grey; 4]);
    bytes
}

#[track_caller]
fn sees(camera: &mut dyn Camera, grey: u8) {
    let frame = camera.frame(PATIENCE).unwrap().expect("a frame within the patience of this test");
    assert_eq!(frame.luma()[0], grey);
}

#[track_caller]
fn sees_nothing(camera: &mut dyn Camera) {
    assert_eq!(camera.frame(A_WHILE), Ok(None));
}

#[track_caller]
fn absent(open: &mut Open<dyn Camera>, said: &[&str]) {
    let Err(PortError::Absent(text)) = open().map(drop) else { panic!("not absent") };
    for part in said {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn each_new_picture_is_seen_once_in_name_order() {
    let folder = tempfile::tempdir().unwrap();
    for (name, grey) in [("b.pgm", 20), ("a.pgm", 10), ("c.pgm", 30)] {
        std::fs::write(folder.path().join(name), picture(grey)).unwrap();
    }
    let mut camera = folder_camera(folder.path(), 0)().unwrap();
    for grey in [10, 20, 30] {
        sees(&mut *camera, grey);
    }
    sees_nothing(&mut *camera);
    std::fs::write(folder.path().join("0.pgm"), picture(5)).unwrap();
    sees(&mut *camera, 5);
    sees_nothing(&mut *camera);
}

#[test]
fn a_picture_that_is_changed_is_seen_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("now.pgm");
    let mut camera = folder_camera(folder.path(), 0)().unwrap();
    for grey in [1, 2, 3] {
        // Put in place whole, as a careful program does.
        std::fs::write(folder.path().join("next"), picture(grey)).unwrap();
        std::fs::rename(folder.path().join("next"), &path).unwrap();
        sees(&mut *camera, grey);
    }
}

#[test]
fn a_picture_stays_in_view_as_long_as_the_board_says() {
    let folder = tempfile::tempdir().unwrap();
    for (name, grey) in [("a.pgm", 10), ("b.pgm", 20)] {
        std::fs::write(folder.path().join(name), picture(grey)).unwrap();
    }
    let mut camera = folder_camera(folder.path(), 1000)().unwrap();
    let mut seen = Vec::new();
    while let Some(frame) = camera.frame(Duration::from_millis(500)).unwrap() {
        seen.push(frame.luma()[0]);
        assert!(seen.len() < 100, "it never leaves the view");
    }
    assert!(seen.is_sorted(), "one picture at a time: {seen:?}");
    for grey in [10, 20] {
        let times = seen.iter().filter(|seen| **seen == grey).count();
        assert!((2..=11).contains(&times), "{grey} was given {times} times");
    }
}

#[test]
fn a_half_written_picture_is_seen_when_it_is_whole_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let whole = picture(40);
    let mut file = File::create(folder.path().join("a.pgm")).unwrap();
    file.write_all(&whole[..12]).unwrap();
    std::fs::write(folder.path().join("b.pgm"), picture(50)).unwrap();
    let mut camera = folder_camera(folder.path(), 0)().unwrap();
    sees(&mut *camera, 50);
    sees_nothing(&mut *camera);
    file.write_all(&whole[12..]).unwrap();
    sees(&mut *camera, 40);
}

#[test]
fn a_file_that_is_no_picture_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.png"), "a letter").unwrap();
    let mut camera = folder_camera(folder.path(), 0)().unwrap();
    assert_eq!(camera.frame(Duration::from_millis(800)), Ok(None));
    std::fs::write(folder.path().join("b.pgm"), picture(60)).unwrap();
    sees(&mut *camera, 60);
}

#[test]
fn a_folder_may_go_and_come_back_without_showing_a_picture_twice() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("camera");
    let mut open = folder_camera(&folder, 0);
    absent(&mut open, &["camera is not there", "camera.path"]);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.pgm"), picture(70)).unwrap();
    let mut camera = open().unwrap();
    sees(&mut *camera, 70);
    std::fs::rename(&folder, place.path().join("away")).unwrap();
    let Err(PortError::Failed(said)) = camera.frame(A_WHILE) else { panic!("it did not fail") };
    assert!(said.contains("camera"), "{said}");
    std::fs::rename(place.path().join("away"), &folder).unwrap();
    let mut camera = open().unwrap();
    sees_nothing(&mut *camera);
}

/// A side whose frames are larger than a pipe holds, so that a writer who is done has been read.
const SIDE: u32 = 400;

fn frame(grey: u8) -> Frame {
    Frame::new(SIDE, SIDE, vec![grey; (SIDE * SIDE) as usize]).unwrap()
}

fn fifo(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("camera.y4m");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    path
}

/// Somebody who opens the pipe, writes these frames and keeps it open until joined and dropped.
fn writer(path: &Path, greys: std::ops::Range<u8>) -> std::thread::JoinHandle<Y4mWriter<File>> {
    let path = path.to_owned();
    std::thread::spawn(move || {
        let pipe = File::options().write(true).open(path).unwrap();
        let mut writer = Y4mWriter::new(pipe, SIDE, SIDE, 15).unwrap();
        for grey in greys {
            writer.write(&frame(grey)).unwrap();
        }
        writer
    })
}

#[track_caller]
fn opened(open: &mut Open<dyn Camera>) -> Box<dyn Camera> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match open() {
            Ok(camera) => return camera,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn of_a_live_stream_the_newest_frame_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder);
    let writing = writer(&path, 0..40);
    let mut camera = opened(&mut y4m_camera(&path));
    let _open = writing.join().unwrap();
    // All but what a pipe holds (less than a frame) has been read, and nobody looked at it.
    let first = camera.frame(PATIENCE).unwrap().unwrap().luma()[0];
    assert!(first >= 38, "frame {first} of 40 was still queued");
}

#[test]
fn a_pipe_is_opened_again_for_the_next_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder);
    let mut open = y4m_camera(&path);
    absent(&mut open, &["nothing writes to the camera pipe", "camera.y4m", "start the camera program"]);
    for turn in 0..3_u8 {
        let writing = writer(&path, turn..turn + 1);
        let mut camera = opened(&mut open);
        drop(writing.join().unwrap());
        sees(&mut *camera, turn);
        let Err(PortError::Failed(said)) = camera.frame(PATIENCE) else { panic!("it did not fail") };
        assert!(said.contains("camera.y4m is closed"), "{said}");
        drop(camera);
        absent(&mut open, &["nothing writes to the camera pipe"]);
    }
}

#[test]
fn a_pipe_that_is_made_anew_while_nobody_wrote_is_the_one_that_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder);
    let mut open = y4m_camera(&path);
    absent(&mut open, &["nothing writes", "camera.y4m"]);
    std::fs::remove_file(&path).unwrap();
    let path = fifo(&folder);
    let writing = writer(&path, 7..8);
    let mut camera = opened(&mut open);
    sees(camera.as_mut(), 7);
    drop(writing.join().unwrap());
}

#[test]
fn a_writer_that_dies_inside_a_frame_is_told_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder);
    let mut open = y4m_camera(&path);
    let cut = path.clone();
    let writing = std::thread::spawn(move || std::fs::write(cut, b"YUV4MPEG2 W2 H2 Cmono\nFRAME\n\x01").unwrap());
    let mut camera = opened(&mut open);
    writing.join().unwrap();
    let Err(PortError::Failed(said)) = camera.frame(PATIENCE) else { panic!("it did not fail") };
    assert!(said.contains("ended inside a frame"), "{said}");
    drop(camera);
    let writing = writer(&path, 9..10);
    sees(&mut *opened(&mut open), 9);
    drop(writing.join().unwrap());
}

#[test]
fn a_camera_whose_writer_is_silent_can_be_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(&folder);
    let writing = writer(&path, 0..0);
    let camera = opened(&mut y4m_camera(&path));
    let open = writing.join().unwrap();
    let (closed, done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(camera);
        closed.send(()).unwrap();
    });
    done.recv_timeout(PATIENCE).expect("a reader that stops in steps of 100 ms");
    drop(open);
}

#[test]
fn of_a_recording_every_frame_is_seen_and_then_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.y4m");
    let mut writer = Y4mWriter::new(File::create(&path).unwrap(), SIDE, SIDE, 15).unwrap();
    for grey in 0..10 {
        writer.write(&frame(grey)).unwrap();
    }
    let mut camera = y4m_camera(&path)().unwrap();
    for grey in 0..10 {
        sees(&mut *camera, grey);
    }
    let Err(PortError::Ended(said)) = camera.frame(PATIENCE) else { panic!("it did not end") };
    assert!(said.contains("queue.y4m"), "{said}");
}

#[test]
fn a_stream_that_is_not_there_or_no_y4m_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("camera.y4m");
    absent(&mut y4m_camera(&path), &["camera.y4m", "mkfifo", "camera.path"]);
    std::fs::write(&path, "RIFF and so on\n").unwrap();
    let Err(PortError::Ended(said)) = y4m_camera(&path)().map(drop) else { panic!("it did not end") };
    assert!(said.contains("not Y4M"), "{said}");
}
