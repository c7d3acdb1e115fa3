//! Finding a kernel camera, listing what it offers, and opening it in the mode that suits the board.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use linuxvideo::format::{FrameIntervals, FrameSizes, PixFormat, PixelFormat, StepwiseFrameSizes};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, CapabilityFlags, Device, Fract};
use menshen_lane::ports::PortError;

use super::super::luma::{Layout, Pixels};
use super::super::negotiate::{self, Mode, Want};
use super::controls::{self, Exposure};
use crate::board;

/// Where the kernel lists its cameras.
const LISTED: &str = "/sys/class/video4linux";

/// A camera that streams.
pub(super) struct Opened {
    /// What it is called, for a person.
    pub(super) name: String,
    pub(super) stream: ReadStream,
    pub(super) layout: Layout,
    /// The camera once more, to set its controls while it streams.
    pub(super) knobs: Device,
    pub(super) exposure: Exposure,
}

/// Opens the camera of a board.
///
/// # Errors
/// [`PortError::Absent`], which names the camera and the remedy.
pub(super) fn open(board: &board::V4l2) -> Result<Opened, PortError> {
    let path = find(&board.device)?;
    let shown = path.display().to_string();
    let absent = |error: io::Error| absent(&shown, &error);
    let camera = Device::open(&path).map_err(absent)?;
    let capabilities = camera.capabilities().map_err(absent)?;
    let name = format!("{shown} ({})", capabilities.card());
    if !capabilities.device_capabilities().contains(CapabilityFlags::VIDEO_CAPTURE | CapabilityFlags::STREAMING) {
        return Err(unusable(&name, "gives no stream of pictures: name another in `camera.device` of the board file"));
    }
    let want = Want {
        width: board.size.width,
        height: board.size.height,
        fps: board.size.fps,
        pixels: board.format.map(Pixels::from),
    };
    let Some(mode) = negotiate::choose(&modes(&camera, want), want) else {
        let remedy = "has none of the formats GREY, NV12, YUYV and MJPEG, or not the one of `camera.format` in the board \
                      file: write format = \"auto\" or use another camera";
        return Err(unusable(&name, remedy));
    };
    let mut knobs = Device::open(&path).map_err(absent)?;
    let capture = camera.video_capture(PixFormat::new(mode.width, mode.height, fourcc(mode.pixels))).map_err(absent)?;
    let taken = capture.format();
    let Some(pixels) = Pixels::of_fourcc(taken.pixel_format().as_fourcc()) else {
        return Err(unusable(&name, "does not keep to a format that it offers: use another camera"));
    };
    let layout = Layout { width: taken.width(), height: taken.height(), stride: taken.bytes_per_line(), pixels };
    if let Err(error) = capture.set_frame_interval(Fract::new(1, want.fps.max(1))) {
        tracing::info!("the camera {name} keeps its own speed: {error}");
    }
    let exposure = controls::set(&mut knobs, &name, board);
    let stream = capture.into_stream().map_err(absent)?;
    tracing::info!(
        "the camera {name} gives {}×{} {pixels:?}, up to {:.0} frames a second",
        layout.width,
        layout.height,
        mode.fps
    );
    Ok(Opened { name, stream, layout, knobs, exposure })
}

impl From<board::PixelFormat> for Pixels {
    fn from(format: board::PixelFormat) -> Pixels {
        match format {
            board::PixelFormat::Grey => Pixels::Grey,
            board::PixelFormat::Nv12 => Pixels::Nv12,
            board::PixelFormat::Yuyv => Pixels::Yuyv,
            board::PixelFormat::Mjpeg => Pixels::Mjpeg,
        }
    }
}

fn fourcc(pixels: Pixels) -> PixelFormat {
    PixelFormat::from_fourcc(pixels.fourcc())
}

fn unusable(name: &str, why: impl Display) -> PortError {
    PortError::Absent(format!("the camera {name} {why}"))
}

fn absent(name: &str, error: &io::Error) -> PortError {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => "let this program's user into the group `video`",
        io::ErrorKind::ResourceBusy => "end the other program that uses it",
        _ => "plug it in, or correct `camera.device` in the board file",
    };
    PortError::Absent(format!("cannot open the camera {name}: {error}; {remedy}"))
}

/// The device file of a path, or of a camera with this in its name.
fn find(device: &str) -> Result<PathBuf, PortError> {
    if device.starts_with('/') {
        return Ok(device.into());
    }
    let listed = listed(Path::new(LISTED));
    pick(&listed, device).map(|node| Path::new("/dev").join(node)).ok_or_else(|| {
        let others: Vec<&str> = listed.iter().map(|listed| listed.name.as_str()).collect();
        let there = if others.is_empty() { "no camera".to_owned() } else { others.join(", ") };
        PortError::Absent(format!(
            "no camera is called {device:?} ({there} is there): plug it in, or correct `camera.device` in the board file"
        ))
    })
}

/// A device as the kernel lists it.
#[derive(Debug)]
struct Listed {
    /// The name of its device file.
    node: String,
    number: u32,
    /// What its maker calls it.
    name: String,
    /// Its number among the files of one camera; pictures come from the first.
    index: u32,
}

fn listed(folder: &Path) -> Vec<Listed> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let read = |path: PathBuf| std::fs::read_to_string(path).map(|text| text.trim().to_owned());
    entries
        .filter_map(|entry| {
            let node = entry.file_name().into_string().ok()?;
            let number = node.strip_prefix("video")?.parse().ok()?;
            let name = read(entry.path().join("name")).ok()?;
            let index = read(entry.path().join("index")).ok().and_then(|index| index.parse().ok()).unwrap_or(0);
            Some(Listed { node, number, name, index })
        })
        .collect()
}

fn pick<'a>(listed: &'a [Listed], wanted: &str) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let called = listed.iter().filter(|listed| listed.name.to_lowercase().contains(&wanted));
    called.min_by_key(|listed| (listed.index, listed.number)).map(|listed| listed.node.as_str())
}

/// All modes of a camera; where it takes any size, the one nearest to what is wanted.
fn modes(camera: &Device, want: Want) -> Vec<Mode> {
    let offered = camera.formats(BufType::VIDEO_CAPTURE).map_while(Result::ok).map(|format| format.pixel_format());
    let known = offered.filter_map(|format| Some((format, Pixels::of_fourcc(format.as_fourcc())?)));
    let modes = known.flat_map(|(format, pixels)| {
        let sizes =
            camera.frame_sizes(format).map_or_else(|_| vec![(want.width, want.height)], |sizes| list(&sizes, want));
        sizes.into_iter().map(move |(width, height)| {
            // A camera that does not say how fast it is gets the benefit of the doubt.
            let intervals = camera.frame_intervals(format, width, height);
            let fps = intervals.ok().and_then(|intervals| fastest(&intervals)).unwrap_or(want.fps.into());
            Mode { pixels, width, height, fps }
        })
    });
    modes.collect()
}

fn list(sizes: &FrameSizes, want: Want) -> Vec<(u32, u32)> {
    match sizes {
        FrameSizes::Discrete(sizes) => sizes.iter().map(|size| (size.width(), size.height())).collect(),
        FrameSizes::Stepwise(range) | FrameSizes::Continuous(range) => vec![nearest(range, want)],
    }
}

fn nearest(range: &StepwiseFrameSizes, want: Want) -> (u32, u32) {
    (
        side(range.min_width(), range.max_width(), range.step_width(), want.width),
        side(range.min_height(), range.max_height(), range.step_height(), want.height),
    )
}

/// The least of `min`, `min + step`, … that is at least `wanted`, but `max` at most.
fn side(min: u32, max: u32, step: u32, wanted: u32) -> u32 {
    let steps = wanted.saturating_sub(min).div_ceil(step.max(1));
    min.saturating_add(steps.saturating_mul(step.max(1))).min(max)
}

fn fastest(intervals: &FrameIntervals) -> Option<f64> {
    let fps = |interval: &Fract| f64::from(interval.denominator()) / f64::from(interval.numerator().max(1));
    match intervals {
        FrameIntervals::Discrete(list) => list.iter().map(|interval| fps(interval.fract())).max_by(f64::total_cmp),
        FrameIntervals::Stepwise(range) | FrameIntervals::Continuous(range) => Some(fps(range.min())),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    fn a_machine() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let nodes = [
            ("video10", "bcm2835-codec-decode", "0"),
            ("video3", "HD Pro Webcam C920", "1"),
            ("video2", "HD Pro Webcam C920", "0"),
            ("video0", "unicam-image", "0"),
            ("v4l-subdev0", "imx708", "0"),
        ];
        for (node, name, index) in nodes {
            std::fs::create_dir(folder.path().join(node)).unwrap();
            std::fs::write(folder.path().join(node).join("name"), format!("{name}\n")).unwrap();
            std::fs::write(folder.path().join(node).join("index"), format!("{index}\n")).unwrap();
        }
        folder
    }

    #[test]
    fn a_camera_is_found_by_a_part_of_its_name_wherever_it_is_plugged_in() {
        let folder = a_machine();
        assert_eq!(pick(&listed(folder.path()), "webcam c920"), Some("video2"));
        for node in ["video2", "video3"] {
            std::fs::rename(folder.path().join(node), folder.path().join(format!("{node}7"))).unwrap();
        }
        assert_eq!(pick(&listed(folder.path()), "webcam c920"), Some("video27"));
        assert_eq!(pick(&listed(folder.path()), "imx708"), None, "a part of a camera gives no pictures");
    }

    #[test]
    fn a_camera_that_is_not_there_is_told_by_name_with_the_remedy() {
        for device in ["/dev/no-such-camera", "no such camera"] {
            let device = board::V4l2 {
                device: device.into(),
                size: board::Size { width: 1280, height: 720, fps: 15 },
                format: None,
                exposure_us: None,
                focus: None,
                gain: None,
                power_line_hz: 50,
                bracketing: true,
            };
            let Err(PortError::Absent(said)) = open(&device).map(drop) else { panic!("not absent") };
            assert!(said.contains(&device.device) && said.contains("`camera.device`"), "{said}");
        }
    }

    #[test]
    fn of_a_range_of_sizes_the_first_that_is_large_enough_is_taken() {
        assert_eq!(side(16, 4096, 16, 720), 720);
        assert_eq!(side(16, 4096, 32, 720), 720);
        assert_eq!(side(0, 4096, 64, 720), 768);
        assert_eq!(side(16, 640, 16, 720), 640);
        assert_eq!(side(1000, 4096, 0, 720), 1000);
    }
}
