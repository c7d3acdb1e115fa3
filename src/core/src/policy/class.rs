//! The classes of site, and what is baked in for each.
//!
//! Apart from the rules themselves, because these are the one table in the program that says what differs between a
//! residential gate and a metro station before anybody has signed anything.

use crate::pass::Kind;
use crate::recognition::Kinds;
use crate::verdict::Verdict;

/// What kind of place a site is. The numbers are on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SiteClass {
    /// A residential community.
    #[default]
    Community = 1,
    /// A metro, railway or bus station.
    Metro = 2,
    /// A hospital or clinic.
    Hospital = 3,
    /// A school or kindergarten.
    School = 4,
    /// A workplace.
    Office = 5,
}

impl SiteClass {
    /// Every class.
    pub const ALL: [SiteClass; 5] =
        [SiteClass::Community, SiteClass::Metro, SiteClass::Hospital, SiteClass::School, SiteClass::Office];

    /// The class of a stored number.
    pub fn from_number(number: u8) -> Option<SiteClass> {
        SiteClass::ALL.into_iter().find(|class| *class as u8 == number)
    }

    /// Its name in site files, target paths and `--json`.
    pub const fn name(self) -> &'static str {
        match self {
            SiteClass::Community => "community",
            SiteClass::Metro => "metro",
            SiteClass::Hospital => "hospital",
            SiteClass::School => "school",
            SiteClass::Office => "office",
        }
    }

    /// Reads what [`SiteClass::name`] gives.
    pub fn parse(name: &str) -> Option<SiteClass> {
        SiteClass::ALL.into_iter().find(|class| class.name() == name)
    }

    /// A station lets nobody who is observed travel, a school has no room to keep apart; elsewhere a person looks.
    pub(super) const fn yellow(self) -> Verdict {
        match self {
            SiteClass::Metro | SiteClass::School => Verdict::Refuse,
            SiteClass::Community | SiteClass::Hospital | SiteClass::Office => Verdict::Refer,
        }
    }

    /// What a residents' committee issues for its own gate means nothing at a station or a school, and a visitor's pass
    /// is for a place that is visited.
    pub(super) fn kinds(self) -> Kinds {
        match self {
            SiteClass::Community => Kinds::all(),
            SiteClass::Metro => Kinds::of(&[Kind::Phone, Kind::Paper, Kind::Dependent]),
            SiteClass::Hospital | SiteClass::School | SiteClass::Office => {
                Kinds::of(&[Kind::Phone, Kind::Paper, Kind::Dependent, Kind::Visitor])
            }
        }
    }

    pub(super) const fn test_max_age_h(self) -> Option<u16> {
        match self {
            SiteClass::Community | SiteClass::Metro => None,
            SiteClass::Hospital | SiteClass::School => Some(48),
            SiteClass::Office => Some(72),
        }
    }

    /// At a station people come back within minutes, and the train tells who travels; elsewhere an entrance is an
    /// entrance.
    pub(super) const fn again_after_s(self) -> u32 {
        match self {
            SiteClass::Metro => 60,
            SiteClass::Community | SiteClass::Hospital | SiteClass::School | SiteClass::Office => 300,
        }
    }
}
