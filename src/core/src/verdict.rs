//! What a gate does about a person: the one word that everything else leads to.
//!
//! Apart from [`crate::decide`], because reasons and policies speak of verdicts and decide nothing.

/// What happens at the gate. The numbers are in records: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The gate opens.
    Admit = 1,
    /// A person decides; the gate stays closed.
    Refer = 2,
    /// The gate stays closed.
    Refuse = 3,
}

impl Verdict {
    /// The verdict of a stored number.
    pub const fn from_number(number: u8) -> Option<Verdict> {
        match number {
            1 => Some(Verdict::Admit),
            2 => Some(Verdict::Refer),
            3 => Some(Verdict::Refuse),
            _ => None,
        }
    }

    /// A stable name for `--json`.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Admit => "admit",
            Verdict::Refer => "refer",
            Verdict::Refuse => "refuse",
        }
    }
}
