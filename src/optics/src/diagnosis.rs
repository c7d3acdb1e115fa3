//! What a frame showed, in one word.
//!
//! A gate that says only "no" teaches nobody anything; one that knows that the screen glares can say "tilt the phone".
//! Apart from the reader, so that the words stand in one place for whoever acts on them. Invariant: a name never
//! changes, because scripts and logs see it.

/// What a frame showed. Closed: who acts on it handles each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Diagnosis {
    /// At least one code was read.
    Read,
    /// Nothing that looks like a code.
    NoCode,
    /// A code whose modules are too few pixels: come closer.
    TooSmall,
    /// A code whose edges are washed out by motion or focus: hold still.
    TooBlurred,
    /// A code in too little light to tell its modules from noise.
    TooDark,
    /// A code whose light modules have run over its dark ones: lower the screen's brightness.
    OverExposed,
    /// A code with a reflection on it: tilt the phone or the paper.
    Glare,
    /// A code that is partly outside the picture, or covered: step back, show all of it.
    CutOff,
    /// A code is there and does not decode, for no reason that can be seen.
    Unreadable,
}

impl Diagnosis {
    /// Every word there is.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::NoCode,
        Self::TooSmall,
        Self::TooBlurred,
        Self::TooDark,
        Self::OverExposed,
        Self::Glare,
        Self::CutOff,
        Self::Unreadable,
    ];

    /// The name that scripts and logs see; it never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::NoCode => "no_code",
            Self::TooSmall => "too_small",
            Self::TooBlurred => "too_blurred",
            Self::TooDark => "too_dark",
            Self::OverExposed => "over_exposed",
            Self::Glare => "glare",
            Self::CutOff => "cut_off",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether a code is in view that was not read.
    pub fn is_unread_code(self) -> bool {
        !matches!(self, Self::Read | Self::NoCode)
    }
}

impl std::fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_diagnosis_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Diagnosis::ALL.map(Diagnosis::name).into();
        assert_eq!(names.len(), Diagnosis::ALL.len());
    }
}
