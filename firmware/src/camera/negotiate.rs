//! Which of a camera's modes to take.
//!
//! Pure: a list of modes in, one out. A gate wants the size and the speed that its board asks for, in the format that
//! costs the least to read; raw pictures over USB are often too slow at that size, and then the camera's JPEG is
//! better than a small or a slow picture. Where nothing reaches what is asked for, the mode that misses it by the
//! least is taken, because a gate that sees badly is better than one that does not see.

use menshen_lane::optics::frame::MAX_SIDE_PX;

use super::luma::Pixels;

/// What a camera offers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mode {
    pub(super) pixels: Pixels,
    pub(super) width: u32,
    pub(super) height: u32,
    /// The most frames a second.
    pub(super) fps: f64,
}

/// What a board asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) fps: u32,
    /// `None` for whichever is best.
    pub(super) pixels: Option<Pixels>,
}

/// The best of `modes`; `None` if there is none that can be read.
pub(super) fn choose(modes: &[Mode], want: Want) -> Option<Mode> {
    let readable = modes.iter().copied().filter(|mode| {
        let sides = 1..=MAX_SIDE_PX;
        sides.contains(&mode.width)
            && sides.contains(&mode.height)
            && want.pixels.is_none_or(|pixels| pixels == mode.pixels)
    });
    readable.max_by(|a, b| {
        let (worth_a, worth_b) = (worth(*a, want), worth(*b, want));
        worth_a.total_cmp(&worth_b).then_with(|| cost(*b).cmp(&cost(*a)))
    })
}

/// How much of what is wanted a mode gives, 0 to 1; more than is wanted is worth no more.
fn worth(mode: Mode, want: Want) -> f64 {
    let share = |has: f64, wants: u32| (has / f64::from(wants.max(1))).min(1.0);
    let size = share(mode.width.into(), want.width) * share(mode.height.into(), want.height);
    // A driver that gives 29.97 frames a second gives 30.
    let speed = share(mode.fps * 1.01, want.fps);
    size * speed
}

/// What a mode costs to read: pixels first, then the work a pixel.
fn cost(mode: Mode) -> (u64, usize) {
    let work = Pixels::ALL.iter().position(|pixels| *pixels == mode.pixels).unwrap_or(usize::MAX);
    (u64::from(mode.width) * u64::from(mode.height), work)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD_15: Want = Want { width: 1280, height: 720, fps: 15, pixels: None };

    fn mode(pixels: Pixels, width: u32, height: u32, fps: f64) -> Mode {
        Mode { pixels, width, height, fps }
    }

    /// What a usual webcam on USB 2 lists.
    fn webcam() -> Vec<Mode> {
        let sizes = [(640, 480, 30.0), (1280, 720, 10.0), (1920, 1080, 5.0)];
        let raw = sizes.map(|(width, height, fps)| mode(Pixels::Yuyv, width, height, fps));
        let jpeg = sizes.map(|(width, height, _)| mode(Pixels::Mjpeg, width, height, 30.0));
        [raw, jpeg].concat()
    }

    #[test]
    fn raw_that_is_too_slow_gives_way_to_jpeg() {
        assert_eq!(choose(&webcam(), HD_15), Some(mode(Pixels::Mjpeg, 1280, 720, 30.0)));
    }

    #[test]
    fn raw_that_is_fast_enough_is_taken() {
        let want = Want { fps: 10, ..HD_15 };
        assert_eq!(choose(&webcam(), want), Some(mode(Pixels::Yuyv, 1280, 720, 10.0)));
        let both = [mode(Pixels::Yuyv, 1280, 720, 30.0), mode(Pixels::Grey, 1280, 720, 30.0)];
        assert_eq!(choose(&both, HD_15), Some(both[1]), "grey is cheaper");
    }

    #[test]
    fn the_smallest_that_is_large_enough_is_taken() {
        let want = Want { width: 1000, height: 600, ..HD_15 };
        assert_eq!(choose(&webcam(), want), Some(mode(Pixels::Mjpeg, 1280, 720, 30.0)));
        let large = [mode(Pixels::Yuyv, 1920, 1080, 60.0), mode(Pixels::Mjpeg, 1280, 720, 60.0)];
        assert_eq!(choose(&large, HD_15), Some(large[1]));
    }

    #[test]
    fn a_camera_that_can_not_give_what_is_asked_for_gives_what_comes_nearest() {
        let small = [mode(Pixels::Yuyv, 320, 240, 30.0), mode(Pixels::Yuyv, 640, 480, 30.0)];
        assert_eq!(choose(&small, HD_15), Some(small[1]));
        let slow = [mode(Pixels::Yuyv, 1280, 720, 5.0), mode(Pixels::Yuyv, 1280, 720, 9.0)];
        assert_eq!(choose(&slow, HD_15), Some(slow[1]));
    }

    #[test]
    fn the_format_of_the_board_is_kept_to() {
        let want = Want { pixels: Some(Pixels::Yuyv), ..HD_15 };
        assert_eq!(choose(&webcam(), want).map(|mode| mode.pixels), Some(Pixels::Yuyv));
        assert_eq!(choose(&webcam(), Want { pixels: Some(Pixels::Grey), ..HD_15 }), None);
    }

    #[test]
    fn thirty_frames_of_television_are_thirty() {
        let modes = [mode(Pixels::Mjpeg, 1280, 720, 30.0), mode(Pixels::Yuyv, 1280, 720, 29.97)];
        assert_eq!(choose(&modes, Want { fps: 30, ..HD_15 }), Some(modes[1]));
    }

    #[test]
    fn what_no_frame_can_hold_is_never_taken() {
        assert_eq!(choose(&[mode(Pixels::Yuyv, 8000, 6000, 30.0), mode(Pixels::Yuyv, 0, 0, 30.0)], HD_15), None);
        assert_eq!(choose(&[], HD_15), None);
    }
}
