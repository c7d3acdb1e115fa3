//! The calibration of the unit that is mounted here, in one small file of the state directory.
//!
//! ```text
//! menshen-calibration 1
//! point 3450 3600            the unit said 34.50 before something of 36.00
//! point 3702 3850
//! sum 5f0c3a9be1d24477       of all before it
//! ```
//!
//! One point shifts every reading, two make a line. The file is replaced whole. One that is damaged is told and no reading is
//! taken until it is mended: a reading that is a degree off without anybody knowing is worse than none.

use crate::summed;
use menshen_core::thermo::correct::{Calibration, CorrectionError, Point};
use menshen_lane::durable;
use std::io;
use std::path::{Path, PathBuf};

const FILE: &str = "thermometer-calibration";
const FIRST_LINE: &str = "menshen-calibration 1";
/// Two references closer than this are the same one, measured again.
const SAME_CENTI_C: u16 = 100;

/// Why a calibration can not be used or kept.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// The file is not what was written.
    #[error(
        "{path} is damaged, so no reading is trusted: measure the references again, or remove the file to go on without calibration"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The points make no calibration.
    #[error("these references make no calibration: {0}")]
    Points(#[from] CorrectionError),
    /// The disk.
    #[error(
        "{path} can not be read or written ({source}): name the gate's own state folder, as a user who may write there"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The points that are kept, by rising temperature; none where nothing is.
pub(crate) fn points(state_dir: &Path) -> Result<Vec<Point>, CalibrationError> {
    let path = state_dir.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text).ok_or(CalibrationError::Damaged { path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(CalibrationError::Damaged { path }),
        Err(source) => Err(CalibrationError::Io { path, source }),
    }
}

/// The calibration that the kept points make.
pub(crate) fn load(state_dir: &Path) -> Result<Option<Calibration>, CalibrationError> {
    of_points(&points(state_dir)?).map_err(CalibrationError::from)
}

fn of_points(points: &[Point]) -> Result<Option<Calibration>, CorrectionError> {
    match points {
        [] => Ok(None),
        [point] => Calibration::of_one(*point).map(Some),
        [first, .., last] => Calibration::of_two(*first, *last).map(Some),
    }
}

/// Keeps a point beside, or in the place of, those that there are; gives what is kept then.
pub(crate) fn add(state_dir: &Path, point: Point) -> Result<Vec<Point>, CalibrationError> {
    // What is damaged is replaced: that is its remedy.
    let mut points = match points(state_dir) {
        Err(CalibrationError::Damaged { .. }) => Vec::new(),
        found => found?,
    };
    points.retain(|other| other.was_centi_c.abs_diff(point.was_centi_c) > SAME_CENTI_C);
    points.push(point);
    points.sort_unstable_by_key(|point| point.was_centi_c);
    if points.len() > 2 {
        // The newest counts, and of the others the one that is farther away.
        let farthest = points.iter().max_by_key(|other| other.was_centi_c.abs_diff(point.was_centi_c)).copied();
        points.retain(|other| *other == point || Some(*other) == farthest);
    }
    of_points(&points)?;
    let path = state_dir.join(FILE);
    durable::replace(&path, text(&points).as_bytes(), 0o644).map_err(|source| CalibrationError::Io { path, source })?;
    Ok(points)
}

/// Forgets every point.
pub(crate) fn forget(state_dir: &Path) -> Result<(), CalibrationError> {
    let path = state_dir.join(FILE);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(CalibrationError::Io { path, source }),
        _ => Ok(()),
    }
}

fn text(points: &[Point]) -> String {
    let lines = points.iter().map(|point| format!("point {} {}\n", point.said_centi_c, point.was_centi_c));
    summed::seal(&format!("{FIRST_LINE}\n{}", lines.collect::<String>()))
}

fn parse(text: &str) -> Option<Vec<Point>> {
    let said = summed::open(text)?;
    let mut lines = said.lines();
    (lines.next()? == FIRST_LINE).then_some(())?;
    lines
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            ["point", said, was] => Some(Point { said_centi_c: said.parse().ok()?, was_centi_c: was.parse().ok()? }),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn point(said_centi_c: i16, was_centi_c: i16) -> Point {
        Point { said_centi_c, was_centi_c }
    }

    #[test]
    fn points_are_kept_two_at_most_and_a_reference_measured_again_replaces_itself() -> Result<(), CalibrationError> {
        let state = tempfile::tempdir().expect("a folder");
        assert_eq!(load(state.path())?, None);
        assert_eq!(add(state.path(), point(3300, 3500))?, [point(3300, 3500)]);
        assert_eq!(add(state.path(), point(3600, 3800))?, [point(3300, 3500), point(3600, 3800)]);
        assert_eq!(add(state.path(), point(3310, 3510))?, [point(3310, 3510), point(3600, 3800)]);
        assert_eq!(add(state.path(), point(3850, 4000))?, [point(3310, 3510), point(3850, 4000)]);
        let calibration = load(state.path())?.expect("two points");
        assert_eq!([3310, 3850].map(|said| calibration.apply(said)), [3510, 4000]);
        forget(state.path())?;
        forget(state.path())?;
        assert_eq!(points(state.path())?, []);
        Ok(())
    }

    #[test]
    fn a_torn_or_rotten_file_is_told_and_measuring_again_mends_it() {
        let state = tempfile::tempdir().expect("a folder");
        add(state.path(), point(3300, 3500)).expect("there is room");
        let path = state.path().join(FILE);
        let whole = std::fs::read_to_string(&path).expect("it was written");
        for damaged in [&whole[..whole.len() / 2], &whole.replace("3300", "3200"), ""] {
            std::fs::write(&path, damaged).expect("there is room");
            assert!(matches!(load(state.path()), Err(CalibrationError::Damaged { .. })), "{damaged:?}");
        }
        add(state.path(), point(3310, 3500)).expect("it replaces what is damaged");
        assert!(load(state.path()).expect("whole").is_some());
    }

    #[test]
    fn points_that_make_no_calibration_are_not_kept() {
        let state = tempfile::tempdir().expect("a folder");
        add(state.path(), point(3300, 3500)).expect("there is room");
        assert!(matches!(add(state.path(), point(3310, 3800)), Err(CalibrationError::Points(_))));
        assert_eq!(points(state.path()).expect("whole"), [point(3300, 3500)]);
    }
}
