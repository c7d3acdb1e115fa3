//! What a person may do about a code that is in view and can not be read.
//!
//! A hint is one thing to do with the hands, in the few seconds before a volunteer helps. So hints are few, each is
//! another movement, and what a camera saw is turned into one where the camera is known, not here. Apart from
//! [`crate::reason`], because a hint is no part of a decision and is never recorded. Invariant: a name never changes,
//! because the language files, the panel and scripts know a hint by it; the text is chosen at the edge, by language.

/// One thing to do so that a code can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hint {
    /// It is blurred, or nothing is known but that it can not be read: keep it still.
    HoldStill,
    /// It is too small in the picture: bring it nearer.
    ComeCloser,
    /// There is too little light on it, or from it.
    MoreLight,
    /// It is so bright that it runs over: turn the screen's brightness down.
    Dim,
    /// Something mirrors in it: tilt it.
    Tilt,
    /// A part of it is outside the picture or covered: farther away, no finger on it.
    ShowWhole,
}

impl Hint {
    /// Every hint.
    pub const ALL: [Hint; 6] =
        [Hint::HoldStill, Hint::ComeCloser, Hint::MoreLight, Hint::Dim, Hint::Tilt, Hint::ShowWhole];

    /// The stable name used by `--json`, the panel and the language files.
    pub const fn name(self) -> &'static str {
        match self {
            Hint::HoldStill => "hold_still",
            Hint::ComeCloser => "come_closer",
            Hint::MoreLight => "more_light",
            Hint::Dim => "dim",
            Hint::Tilt => "tilt",
            Hint::ShowWhole => "show_whole",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_hint_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Hint::ALL.map(Hint::name).into();
        assert_eq!(names.len(), Hint::ALL.len());
    }
}
