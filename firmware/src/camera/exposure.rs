//! Which exposure to try, from what the reader says of the frames.
//!
//! A camera exposes for the whole picture, and a bright phone in a dark doorway drowns in light; a paper before a
//! bright window drowns in the dark. Once frames say so a few times in a row, the exposure is set to a quarter or to
//! the double. If that does not help within a while, the camera decides again, and the next few bad frames try anew:
//! so a person who holds still sees both.
//!
//! Pure, counted in frames. Invariants: right after a change nothing is concluded, because the frames that come were
//! exposed before it; a step is never kept for longer than [`HOLD`] frames without a new reason.

use menshen_lane::ports::Light;

/// What to do with the exposure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Step {
    /// What the board says, which mostly is: the camera decides.
    #[default]
    Auto,
    /// A quarter of what the camera would take.
    Quarter,
    /// The double of what the camera would take.
    Double,
}

impl Step {
    /// The step of a number that was one.
    pub(super) fn of(number: u8) -> Step {
        match number {
            1 => Step::Quarter,
            2 => Step::Double,
            _ => Step::Auto,
        }
    }
}

/// Bad frames in a row before a step is taken.
const ENOUGH: u32 = 3;
/// Frames after a change that were still exposed before it.
const SETTLE: u32 = 4;
/// Frames for which a step is kept.
const HOLD: u32 = 20;

/// The machine.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bracket {
    step: Step,
    /// Frames since the step was taken.
    age: u32,
    /// What is wrong with the newest frames, and how many of them in a row.
    wrong: Option<Light>,
    in_a_row: u32,
}

impl Bracket {
    /// Takes in what the newest frame says; gives the step to take when it changes.
    pub(super) fn hint(&mut self, light: Light) -> Option<Step> {
        self.age = self.age.saturating_add(1);
        if self.age <= SETTLE {
            return None;
        }
        let wrong = Some(light).filter(|light| *light != Light::Fine);
        self.in_a_row = if wrong == self.wrong { self.in_a_row.saturating_add(1) } else { 1 };
        self.wrong = wrong;
        let bad = wrong.filter(|_| self.in_a_row >= ENOUGH);
        let next = match (self.step, bad) {
            (Step::Auto, Some(Light::TooBright)) => Step::Quarter,
            (Step::Auto, Some(Light::TooDark)) => Step::Double,
            (Step::Quarter, Some(Light::TooDark)) | (Step::Double, Some(Light::TooBright)) => Step::Auto,
            (Step::Quarter | Step::Double, _) if self.age >= HOLD => Step::Auto,
            (step, _) => step,
        };
        if next == self.step {
            return None;
        }
        *self = Bracket { step: next, ..Bracket::default() };
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps taken over these frames, with the number of the frame.
    fn steps(lights: impl IntoIterator<Item = Light>) -> Vec<(usize, Step)> {
        let mut bracket = Bracket::default();
        let hints = lights.into_iter().enumerate();
        hints.filter_map(|(n, light)| bracket.hint(light).map(|step| (n + 1, step))).collect()
    }

    fn times(light: Light, times: u32) -> impl Iterator<Item = Light> {
        std::iter::repeat_n(light, times as usize)
    }

    /// Frames until the first step of a camera that has just started.
    const FIRST: usize = (SETTLE + ENOUGH) as usize;

    #[test]
    fn a_camera_whose_frames_are_fine_is_left_alone() {
        assert_eq!(steps(times(Light::Fine, 1000)), []);
    }

    #[test]
    fn frames_that_drown_in_light_get_a_quarter_and_those_in_the_dark_the_double() {
        assert_eq!(steps(times(Light::TooBright, 10)), [(FIRST, Step::Quarter)]);
        assert_eq!(steps(times(Light::TooDark, 10)), [(FIRST, Step::Double)]);
    }

    #[test]
    fn a_single_bad_frame_now_and_then_changes_nothing() {
        let blinking = [Light::TooBright, Light::TooBright, Light::Fine, Light::TooDark, Light::TooDark];
        assert_eq!(steps(blinking.into_iter().cycle().take(1000)), []);
    }

    #[test]
    fn a_step_ends_by_itself_once_nobody_is_there() {
        let lights = times(Light::TooBright, FIRST as u32).chain(times(Light::Fine, 1000));
        assert_eq!(steps(lights), [(FIRST, Step::Quarter), (FIRST + HOLD as usize, Step::Auto)]);
    }

    #[test]
    fn a_step_too_far_is_taken_back_at_once() {
        let lights = times(Light::TooBright, FIRST as u32).chain(times(Light::TooDark, SETTLE + ENOUGH));
        assert_eq!(steps(lights), [(FIRST, Step::Quarter), (2 * FIRST, Step::Auto)]);
    }

    #[test]
    fn where_a_step_does_not_help_both_exposures_are_tried_in_turn() {
        let taken = steps(times(Light::TooBright, 200));
        assert!(taken.len() >= 8, "{taken:?}");
        let in_turn = [Step::Quarter, Step::Auto].into_iter().cycle();
        assert!(taken.iter().map(|(_, step)| *step).eq(in_turn.take(taken.len())), "{taken:?}");
    }

    #[test]
    fn the_frames_right_after_a_change_say_nothing() {
        let lights = times(Light::TooBright, FIRST as u32).chain(times(Light::TooDark, SETTLE)).chain([Light::Fine]);
        assert_eq!(steps(lights), [(FIRST, Step::Quarter)]);
    }

    #[test]
    fn a_step_survives_its_number() {
        for step in [Step::Auto, Step::Quarter, Step::Double] {
            assert_eq!(Step::of(step as u8), step);
        }
    }
}
