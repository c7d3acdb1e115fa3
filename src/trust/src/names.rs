//! The paths of targets, and who may sign which: the one place that spells them.
//!
//! | path | signed by | content |
//! |---|---|---|
//! | `issuers`, `issuers/330000` | top-level targets; the role `330000` | [`menshen_core::trust::part::Issuers`] |
//! | `recognition`, `recognition/330000` | the same | [`menshen_core::trust::part::Rules`] |
//! | `status/330000/snapshot-7`, `status/330000/delta-8` | the role `330000`, or its superior | `status` files |
//! | `status/100000/…` | the role `100000`, or top-level targets | the same, of the national platform |
//!
//! A delegated role has the name of its division code. Its paths are patterns over the digits that its code leaves
//! open (`33????` for a province, `3301??` for a city), so TUF itself keeps one province out of another's.

use menshen_core::ids::IssuerId;

/// National issuers and their keys.
pub const ISSUERS: &str = "issuers";
/// National recognition rules.
pub const RECOGNITION: &str = "recognition";
/// Status lists.
pub const STATUS: &str = "status";
/// The field of the timestamp metadata that says when its publisher last said that this is what holds, seconds since
/// 1970. TUF metadata say until when they count, not since when.
pub const AS_OF: &str = "x-menshen-as-of";

/// What a path of a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Issuers and keys.
    Issuers(IssuerId),
    /// Recognition rules.
    Recognition(IssuerId),
    /// A whole status list, of everything up to a number.
    Snapshot(IssuerId, u64),
    /// A change of a status list, of one number.
    Delta(IssuerId, u64),
}

impl Target {
    /// Reads a path; `None` for what this program does not know.
    pub fn parse(path: &str) -> Option<Target> {
        let mut parts = path.split('/');
        let (kind, code, file) = (parts.next()?, parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        let owner = match code {
            None => IssuerId::NATIONAL,
            Some(code) => issuer(code)?,
        };
        // What is national has the short path and no other.
        let short = code.is_some() == (owner != IssuerId::NATIONAL);
        match (kind, code, file) {
            (ISSUERS, _, None) if short => Some(Target::Issuers(owner)),
            (RECOGNITION, _, None) if short => Some(Target::Recognition(owner)),
            (STATUS, Some(_), Some(file)) => {
                let (kind, seq) = file.split_once('-')?;
                let seq = number(seq)?;
                match kind {
                    "snapshot" => Some(Target::Snapshot(owner, seq)),
                    "delta" => Some(Target::Delta(owner, seq)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Writes the path.
    pub fn path(self) -> String {
        let of = |kind: &str, owner: IssuerId| match owner {
            IssuerId::NATIONAL => kind.to_owned(),
            owner => format!("{kind}/{owner}"),
        };
        match self {
            Target::Issuers(owner) => of(ISSUERS, owner),
            Target::Recognition(owner) => of(RECOGNITION, owner),
            Target::Snapshot(owner, seq) => format!("{STATUS}/{owner}/snapshot-{seq}"),
            Target::Delta(owner, seq) => format!("{STATUS}/{owner}/delta-{seq}"),
        }
    }

    /// For whom it speaks.
    pub const fn owner(self) -> IssuerId {
        match self {
            Target::Issuers(owner)
            | Target::Recognition(owner)
            | Target::Snapshot(owner, _)
            | Target::Delta(owner, _) => owner,
        }
    }
}

/// The division of a role's name.
pub fn issuer(name: &str) -> Option<IssuerId> {
    let six_digits = name.len() == 6 && name.bytes().all(|byte| byte.is_ascii_digit());
    if six_digits { name.parse().ok().and_then(IssuerId::new) } else { None }
}

/// The patterns of paths that belong to a division.
pub fn own_paths(owner: IssuerId) -> [String; 3] {
    let code = owner.code();
    let digits = match owner {
        // What lies within the nation it does not speak for by this role.
        IssuerId::NATIONAL => code.to_string(),
        _ if owner == owner.province() => format!("{:02}????", code / 10_000),
        _ if owner == owner.city() => format!("{:04}??", code / 100),
        _ => code.to_string(),
    };
    [format!("{ISSUERS}/{digits}"), format!("{RECOGNITION}/{digits}"), format!("{STATUS}/{digits}/*")]
}

fn number(text: &str) -> Option<u64> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(code: u32) -> IssuerId {
        IssuerId::new(code).expect("six digits")
    }

    #[test]
    fn a_path_reads_back_as_it_was_written() {
        for target in [
            Target::Issuers(IssuerId::NATIONAL),
            Target::Issuers(id(330_000)),
            Target::Recognition(IssuerId::NATIONAL),
            Target::Recognition(id(330_100)),
            Target::Snapshot(id(330_100), 1),
            Target::Delta(IssuerId::NATIONAL, u64::MAX),
        ] {
            assert_eq!(Target::parse(&target.path()), Some(target));
        }
    }

    #[test]
    fn a_path_that_nobody_wrote_is_not_known() {
        for path in [
            "",
            "issuers/33000",
            "issuers/3300000",
            "issuers/33000x",
            "issuers/099999",
            "issuers/100000",
            "issuers/330000/x",
            "status",
            "status/330000",
            "status/330000/delta-",
            "status/330000/delta-01",
            "status/330000/delta-+1",
            "status/330000/delta-1/x",
            "status/330000/other-1",
            "policy/metro",
        ] {
            assert_eq!(Target::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_province_has_its_cities_paths_and_a_city_its_districts() {
        assert_eq!(own_paths(id(330_000))[2], "status/33????/*");
        assert_eq!(own_paths(id(330_100))[0], "issuers/3301??");
        assert_eq!(own_paths(id(330_106))[1], "recognition/330106");
    }
}
