//! The controls of a kernel camera: what the board says of them, and the exposure of the moment.
//!
//! Cameras differ in what they let be set, and none of it is needed to see: what a camera does not have is one line of
//! the log. Behind [`Knobs`], so that it is proved without a camera.

use std::io;

use linuxvideo::Device;
use linuxvideo::controls::Cid;

use super::super::exposure::Step;
use crate::board;

/// What can be set on a camera.
pub(super) trait Knobs {
    fn read(&self, knob: Cid) -> io::Result<i32>;
    fn write(&mut self, knob: Cid, value: i32) -> io::Result<()>;
    /// The least and the most; `None` for a knob that is not there.
    fn range(&self, knob: Cid) -> Option<(i32, i32)>;
}

impl Knobs for Device {
    fn read(&self, knob: Cid) -> io::Result<i32> {
        self.read_control_raw(knob)
    }

    fn write(&mut self, knob: Cid, value: i32) -> io::Result<()> {
        self.write_control_raw(knob, value)
    }

    fn range(&self, knob: Cid) -> Option<(i32, i32)> {
        // A device has a few dozen; the bound is for a driver that never ends its list.
        let mut known = self.controls().take(1000).map_while(Result::ok);
        known.find(|known| known.id() == knob).map(|known| (known.minimum(), known.maximum()))
    }
}

// Values of the V4L2 menus.
const EXPOSURE_AUTO: i32 = 0;
const EXPOSURE_MANUAL: i32 = 1;
const EXPOSURE_APERTURE_PRIORITY: i32 = 3;
/// Exposures are counted in hundreds of microseconds.
const EXPOSURE_UNIT_US: u32 = 100;

/// The exposure of one camera.
#[derive(Debug)]
pub(super) struct Exposure {
    /// What the board says, in the unit of the control; `None` where the camera decides.
    set: Option<i32>,
    /// The range of the control; `None` for a camera that can not be told.
    range: Option<(i32, i32)>,
}

/// Sets what the board says; gives the exposure to steer later.
pub(super) fn set(camera: &mut impl Knobs, name: &str, board: &board::V4l2) -> Exposure {
    let power_line = match board.power_line_hz {
        50 => 1,
        60 => 2,
        _ => 0,
    };
    turn(camera, name, "power_line_hz", &[(Cid::POWER_LINE_FREQUENCY, power_line)]);
    match board.focus {
        Some(focus) => {
            // A camera without autofocus has no switch for it.
            let _ = camera.write(Cid::FOCUS_AUTO, 0);
            turn(camera, name, "focus", &[(Cid::FOCUS_ABSOLUTE, i32::try_from(focus).unwrap_or(i32::MAX))]);
        }
        None => {
            let _ = camera.write(Cid::FOCUS_AUTO, 1);
        }
    }
    if let Some(gain) = board.gain {
        let _ = camera.write(Cid::AUTOGAIN, 0);
        turn(camera, name, "gain", &[(Cid::GAIN, gain as i32)]);
    }
    let set = board.exposure_us.map(|us| i32::try_from(us / EXPOSURE_UNIT_US).unwrap_or(i32::MAX).max(1));
    let exposure = Exposure { set, range: camera.range(Cid::EXPOSURE_ABSOLUTE) };
    match set {
        Some(value) => turn(
            camera,
            name,
            "exposure_us",
            &[(Cid::EXPOSURE_AUTO, EXPOSURE_MANUAL), (Cid::EXPOSURE_ABSOLUTE, exposure.clamped(value))],
        ),
        // Not as the last program left it.
        None => drop(decide_itself(camera)),
    }
    exposure
}

/// Sets controls in their order; the first that can not be set is told.
fn turn(camera: &mut impl Knobs, name: &str, key: &str, knobs: &[(Cid, i32)]) {
    if let Err(error) = knobs.iter().try_for_each(|(knob, value)| camera.write(*knob, *value)) {
        tracing::info!("the camera {name} does not take `{key}` of the board file: {error}");
    }
}

fn decide_itself(camera: &mut impl Knobs) -> io::Result<()> {
    // Most webcams know only the second, cameras with a whole automatic only the first.
    let webcam = camera.write(Cid::EXPOSURE_AUTO, EXPOSURE_APERTURE_PRIORITY);
    webcam.or_else(|_| camera.write(Cid::EXPOSURE_AUTO, EXPOSURE_AUTO))
}

impl Exposure {
    /// Whether other exposures can be tried.
    pub(super) fn can_step(&self) -> bool {
        self.range.is_some()
    }

    /// Takes a step.
    ///
    /// # Errors
    /// What the camera said to it.
    pub(super) fn step(&self, camera: &mut impl Knobs, step: Step) -> io::Result<()> {
        let now = match self.set {
            Some(set) => set,
            None => camera.read(Cid::EXPOSURE_ABSOLUTE)?,
        };
        let value = match (step, self.set) {
            (Step::Auto, None) => return decide_itself(camera),
            (Step::Auto, Some(set)) => set,
            (Step::Quarter, _) => now / 4,
            (Step::Double, _) => now.saturating_mul(2),
        };
        camera.write(Cid::EXPOSURE_AUTO, EXPOSURE_MANUAL)?;
        camera.write(Cid::EXPOSURE_ABSOLUTE, self.clamped(value))
    }

    fn clamped(&self, value: i32) -> i32 {
        self.range.map_or(value, |(least, most)| value.min(most).max(least))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    /// A camera with some knobs: what each is set to, and between which bounds.
    #[derive(Default)]
    struct Fake(Vec<(Cid, i32, (i32, i32))>);

    impl Knobs for Fake {
        fn read(&self, knob: Cid) -> io::Result<i32> {
            let known = self.0.iter().find(|(known, ..)| *known == knob);
            known.map(|(_, value, _)| *value).ok_or_else(|| io::Error::from_raw_os_error(22))
        }
        fn write(&mut self, knob: Cid, value: i32) -> io::Result<()> {
            let known =
                self.0.iter_mut().find(|(known, _, (least, most))| *known == knob && (*least..=*most).contains(&value));
            known.map(|known| known.1 = value).ok_or_else(|| io::Error::from_raw_os_error(22))
        }
        fn range(&self, knob: Cid) -> Option<(i32, i32)> {
            self.0.iter().find(|(known, ..)| *known == knob).map(|(.., range)| *range)
        }
    }

    fn webcam() -> Fake {
        Fake(vec![
            (Cid::POWER_LINE_FREQUENCY, 2, (0, 2)),
            (Cid::FOCUS_AUTO, 1, (0, 1)),
            (Cid::FOCUS_ABSOLUTE, 0, (0, 250)),
            (Cid::EXPOSURE_AUTO, 1, (1, 3)),
            (Cid::EXPOSURE_ABSOLUTE, 200, (3, 600)),
        ])
    }

    fn board() -> board::V4l2 {
        board::V4l2 {
            device: "webcam".into(),
            size: board::Size { width: 1280, height: 720, fps: 15 },
            format: None,
            exposure_us: None,
            focus: None,
            gain: None,
            power_line_hz: 50,
            bracketing: true,
        }
    }

    #[test]
    fn what_the_board_says_is_set() {
        let mut camera = webcam();
        set(&mut camera, "webcam", &board::V4l2 { focus: Some(30), exposure_us: Some(8_000), ..board() });
        let read = |knob| camera.read(knob).unwrap();
        assert_eq!(read(Cid::POWER_LINE_FREQUENCY), 1);
        assert_eq!((read(Cid::FOCUS_AUTO), read(Cid::FOCUS_ABSOLUTE)), (0, 30));
        assert_eq!((read(Cid::EXPOSURE_AUTO), read(Cid::EXPOSURE_ABSOLUTE)), (EXPOSURE_MANUAL, 80));
    }

    #[test]
    fn what_the_board_does_not_say_the_camera_decides_again() {
        let mut camera = webcam();
        set(&mut camera, "webcam", &board());
        assert_eq!(camera.read(Cid::EXPOSURE_AUTO).unwrap(), EXPOSURE_APERTURE_PRIORITY);
        assert_eq!(camera.read(Cid::FOCUS_AUTO).unwrap(), 1);
    }

    #[test]
    fn a_camera_without_controls_is_left_as_it_is() {
        let exposure = set(&mut Fake::default(), "bare", &board::V4l2 { focus: Some(1), gain: Some(2.0), ..board() });
        assert!(!exposure.can_step());
        assert!(exposure.step(&mut Fake::default(), Step::Quarter).is_err());
    }

    #[test]
    fn a_step_goes_from_what_the_camera_took_and_back_to_its_own_choice() {
        let mut camera = webcam();
        let exposure = set(&mut camera, "webcam", &board());
        exposure.step(&mut camera, Step::Quarter).unwrap();
        assert_eq!(camera.read(Cid::EXPOSURE_AUTO).unwrap(), EXPOSURE_MANUAL);
        assert_eq!(camera.read(Cid::EXPOSURE_ABSOLUTE).unwrap(), 50);
        exposure.step(&mut camera, Step::Auto).unwrap();
        assert_eq!(camera.read(Cid::EXPOSURE_AUTO).unwrap(), EXPOSURE_APERTURE_PRIORITY);
    }

    #[test]
    fn a_step_goes_from_what_the_board_says_and_stays_in_range() {
        let mut camera = webcam();
        let exposure = set(&mut camera, "webcam", &board::V4l2 { exposure_us: Some(50_000), ..board() });
        for (step, value) in [(Step::Double, 600), (Step::Quarter, 125), (Step::Auto, 500)] {
            exposure.step(&mut camera, step).unwrap();
            assert_eq!(camera.read(Cid::EXPOSURE_ABSOLUTE).unwrap(), value, "{step:?}");
        }
    }
}
