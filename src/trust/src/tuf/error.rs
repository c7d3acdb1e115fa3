//! Why a repository, or a part of it, is refused: one kind for each thing that somebody can do about it.

use super::source::SourceError;
use std::error::Error as _;
use std::fmt;

/// A refusal: its kind, and what exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TufError {
    /// Which kind.
    pub refusal: Refusal,
    /// The role, file or path, and what was found.
    pub detail: String,
}

/// The kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not signed, to the threshold, by whom it must be signed by.
    Signature,
    /// Older than what is believed already.
    Older,
    /// Its validity has ended.
    Expired,
    /// Published at a moment that has not come yet.
    Ahead,
    /// Not the bytes that the signed metadata name.
    Altered,
    /// Ends too early.
    CutOff,
    /// Longer than it may be.
    TooLong,
    /// A role lists what is not its own.
    ForeignPath,
    /// Not well formed.
    Malformed,
    /// A file that must be there is not.
    Missing,
    /// The source does not answer or can not be read.
    Unreachable,
}

impl Refusal {
    /// Every kind.
    pub const ALL: [Refusal; 11] = [
        Refusal::Signature,
        Refusal::Older,
        Refusal::Expired,
        Refusal::Ahead,
        Refusal::Altered,
        Refusal::CutOff,
        Refusal::TooLong,
        Refusal::ForeignPath,
        Refusal::Malformed,
        Refusal::Missing,
        Refusal::Unreachable,
    ];

    /// A stable name for `--json`, logs and text files.
    pub const fn name(self) -> &'static str {
        match self {
            Refusal::Signature => "signature",
            Refusal::Older => "older",
            Refusal::Expired => "expired",
            Refusal::Ahead => "ahead",
            Refusal::Altered => "altered",
            Refusal::CutOff => "cut_off",
            Refusal::TooLong => "too_long",
            Refusal::ForeignPath => "foreign_path",
            Refusal::Malformed => "malformed",
            Refusal::Missing => "missing",
            Refusal::Unreachable => "unreachable",
        }
    }

    /// Whether it says nothing of a repository, only of the way to it.
    pub const fn is_of_the_road(self) -> bool {
        matches!(self, Refusal::Unreachable | Refusal::Missing)
    }

    /// What is wrong and what to do, as the end of a sentence that began with what was refused.
    const fn remedy(self) -> &'static str {
        match self {
            Refusal::Signature => "is not signed by those who must sign it; get it from its publisher again",
            Refusal::Older => "is older than what is believed already; get the newest",
            Refusal::Expired => "has expired; get the newest from its publisher",
            Refusal::Ahead => {
                "is of a moment that has not come; set its publisher's clock, and this gate's if it is slow"
            }
            Refusal::Altered => "was altered or damaged on its way; copy it again",
            Refusal::CutOff => "ends too early; copy it again, to the end",
            Refusal::TooLong => "is longer than it may be; get it from its publisher again",
            Refusal::ForeignPath => "lists what belongs to somebody else; call whoever published it",
            Refusal::Malformed => "is not well formed; get it from its publisher again",
            Refusal::Missing => "is not there; copy the whole repository again",
            Refusal::Unreachable => "can not be read now; it is tried again",
        }
    }
}

impl TufError {
    /// A refusal of `detail`.
    pub fn new(refusal: Refusal, detail: impl Into<String>) -> TufError {
        TufError { refusal, detail: detail.into() }
    }
}

impl fmt::Display for TufError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.detail, self.refusal.remedy())
    }
}

impl std::error::Error for TufError {}

impl From<SourceError> for TufError {
    fn from(error: SourceError) -> TufError {
        of_source(&error)
    }
}

impl From<sigstore_tuf::Error> for TufError {
    fn from(error: sigstore_tuf::Error) -> TufError {
        use sigstore_tuf::Error as E;
        match &error {
            E::ThresholdNotMet { role, found, threshold } => {
                TufError::new(Refusal::Signature, format!("{role} ({found} of {threshold} signatures)"))
            }
            E::DuplicateSignature { role, .. } => {
                TufError::new(Refusal::Signature, format!("{role} (one key signed it twice)"))
            }
            E::Rollback { role, trusted, new } => {
                TufError::new(Refusal::Older, format!("{role} (version {new}, believed {trusted})"))
            }
            E::BadRootVersion { trusted, new } if new <= trusted => {
                TufError::new(Refusal::Older, format!("root (version {new}, believed {trusted})"))
            }
            E::Expired { role, expires } => TufError::new(Refusal::Expired, format!("{role} (valid until {expires})")),
            // A publisher that takes a role out of its snapshot must give the snapshot role a new key first.
            E::IntegrityMismatch(what) if what.starts_with("snapshot removes") => {
                TufError::new(Refusal::Malformed, format!("({what})"))
            }
            E::IntegrityMismatch(what) => TufError::new(Refusal::Altered, format!("({what})")),
            E::TargetNotFound(path) => TufError::new(Refusal::Missing, path.clone()),
            E::Transport { message, .. } => match error.source().and_then(|source| source.downcast_ref()) {
                Some(source) => of_source(source),
                None if message.ends_with("not found") => {
                    TufError::new(Refusal::Missing, message.trim_end_matches(" not found"))
                }
                None => TufError::new(Refusal::Unreachable, message.clone()),
            },
            _ => TufError::new(Refusal::Malformed, format!("({error})")),
        }
    }
}

fn of_source(error: &SourceError) -> TufError {
    let refusal = match error {
        SourceError::TooLong { .. } => Refusal::TooLong,
        SourceError::CutOff { .. } => Refusal::CutOff,
        SourceError::Io { .. } | SourceError::Unreachable { .. } => Refusal::Unreachable,
        SourceError::SomethingElse { .. } | SourceError::Name { .. } => Refusal::Malformed,
    };
    TufError::new(refusal, format!("({error})"))
}
