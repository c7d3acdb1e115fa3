//! The paths of targets, and who may sign which: the one place that spells them.
//!
//! | path | signed by | content |
//! |---|---|---|
//! | `issuers`, `issuers/330000` | top-level targets; the role `330000` | [`menshen_core::trust::part::Issuers`] |
//! | `recognition`, `recognition/330000` | the same | [`menshen_core::trust::part::Rules`] |
//! | `policy/metro`, `policy/330000/metro` | the same, one a class of site | [`menshen_core::policy::PolicyPart`] |
//! | `status/330000/snapshot-7`, `status/330000/delta-8` | the role `330000`, or its superior | `status` files |
//! | `status/100000/…` | the role `100000`, or top-level targets | the same, of the national platform |
//!
//! A delegated role has the name of its division code. Its paths are patterns over the digits that its code leaves
//! open (`33????` for a province, `3301??` for a city), so TUF itself keeps one province out of another's. Whoever was
//! delegated to before there were policies lacks their pattern ([`paths_before_policies`]); it is added when its
//! superior signs next, and until then it may say everything but policies.

use menshen_core::ids::IssuerId;
use menshen_core::policy::SiteClass;

/// National issuers and their keys.
pub const ISSUERS: &str = "issuers";
/// National recognition rules.
pub const RECOGNITION: &str = "recognition";
/// Rules of a class of site; its name follows.
pub const POLICY: &str = "policy";
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
    /// What is said of the rules at gates of a class of site.
    Policy(IssuerId, SiteClass),
    /// A whole status list, of everything up to a number.
    Snapshot(IssuerId, u64),
    /// A change of a status list, of one number.
    Delta(IssuerId, u64),
}

impl Target {
    /// Reads a path; `None` for what this program does not know.
    pub fn parse(path: &str) -> Option<Target> {
        // What is national has the short path and no other.
        let division = |code| issuer(code).filter(|owner| *owner != IssuerId::NATIONAL);
        let segments: Vec<&str> = path.split('/').collect();
        Some(match segments[..] {
            [ISSUERS] => Target::Issuers(IssuerId::NATIONAL),
            [ISSUERS, code] => Target::Issuers(division(code)?),
            [RECOGNITION] => Target::Recognition(IssuerId::NATIONAL),
            [RECOGNITION, code] => Target::Recognition(division(code)?),
            [POLICY, class] => Target::Policy(IssuerId::NATIONAL, SiteClass::parse(class)?),
            [POLICY, code, class] => Target::Policy(division(code)?, SiteClass::parse(class)?),
            [STATUS, code, file] => {
                let (owner, (kind, seq)) = (issuer(code)?, file.split_once('-')?);
                let seq = number(seq)?;
                match kind {
                    "snapshot" => Target::Snapshot(owner, seq),
                    "delta" => Target::Delta(owner, seq),
                    _ => return None,
                }
            }
            _ => return None,
        })
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
            Target::Policy(owner, class) => format!("{}/{}", of(POLICY, owner), class.name()),
            Target::Snapshot(owner, seq) => format!("{STATUS}/{owner}/snapshot-{seq}"),
            Target::Delta(owner, seq) => format!("{STATUS}/{owner}/delta-{seq}"),
        }
    }

    /// For whom it speaks.
    pub const fn owner(self) -> IssuerId {
        match self {
            Target::Issuers(owner)
            | Target::Recognition(owner)
            | Target::Policy(owner, _)
            | Target::Snapshot(owner, _)
            | Target::Delta(owner, _) => owner,
        }
    }

    /// Whether the role of a division may list it. That of the nation is only there for its status list: the rest is
    /// signed by the top-level targets role. Rules of a class of site are for their own division to say, since what is
    /// listed and does not count would be taken for a rule.
    pub fn may_be_listed_by(self, scope: IssuerId) -> bool {
        match (scope, self) {
            (IssuerId::NATIONAL, Target::Snapshot(owner, _) | Target::Delta(owner, _)) => owner == IssuerId::NATIONAL,
            (IssuerId::NATIONAL, Target::Issuers(_) | Target::Recognition(_) | Target::Policy(..)) => false,
            (_, Target::Policy(owner, _)) => owner == scope,
            _ => scope.covers(self.owner()),
        }
    }
}

/// The division of a role's name.
pub fn issuer(name: &str) -> Option<IssuerId> {
    let six_digits = name.len() == 6 && name.bytes().all(|byte| byte.is_ascii_digit());
    if six_digits { name.parse().ok().and_then(IssuerId::new) } else { None }
}

/// The patterns of paths that belong to a division.
pub fn own_paths(owner: IssuerId) -> Vec<String> {
    let mut paths = paths_before_policies(owner);
    if owner != IssuerId::NATIONAL {
        paths.push(format!("{POLICY}/{}/*", digits(owner)));
    }
    paths
}

/// Those of a division to which a program delegated that knew no policies.
pub fn paths_before_policies(owner: IssuerId) -> Vec<String> {
    let digits = digits(owner);
    vec![format!("{ISSUERS}/{digits}"), format!("{RECOGNITION}/{digits}"), format!("{STATUS}/{digits}/*")]
}

/// The digits of a division with those that it leaves open.
fn digits(owner: IssuerId) -> String {
    let code = owner.code();
    match owner {
        // What lies within the nation it does not speak for by this role.
        IssuerId::NATIONAL => code.to_string(),
        _ if owner == owner.province() => format!("{:02}????", code / 10_000),
        _ if owner == owner.city() => format!("{:04}??", code / 100),
        _ => code.to_string(),
    }
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
            Target::Policy(IssuerId::NATIONAL, SiteClass::Metro),
            Target::Policy(id(330_100), SiteClass::School),
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
            "policy",
            "policy/airport",
            "policy/330000",
            "policy/100000/metro",
            "policy/330000/airport",
            "policy/330000/metro/x",
        ] {
            assert_eq!(Target::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_division_says_the_rules_of_its_own_gates_and_of_no_others() {
        let metro = |code| Target::Policy(id(code), SiteClass::Metro);
        assert!(metro(330_000).may_be_listed_by(id(330_000)));
        assert!(!metro(330_100).may_be_listed_by(id(330_000)) && !metro(330_000).may_be_listed_by(id(330_100)));
        assert!(!metro(100_000).may_be_listed_by(IssuerId::NATIONAL));
        assert!(Target::Delta(id(330_100), 1).may_be_listed_by(id(330_000)));
        assert!(!Target::Issuers(id(330_000)).may_be_listed_by(IssuerId::NATIONAL));
    }

    #[test]
    fn a_province_has_its_cities_paths_and_a_city_its_districts() {
        assert_eq!(own_paths(id(330_000))[2], "status/33????/*");
        assert_eq!(own_paths(id(330_100))[0], "issuers/3301??");
        assert_eq!(own_paths(id(330_106))[1], "recognition/330106");
        assert_eq!(own_paths(id(330_100))[3], "policy/3301??/*");
        assert_eq!(own_paths(IssuerId::NATIONAL), paths_before_policies(IssuerId::NATIONAL));
    }
}
