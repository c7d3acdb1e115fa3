//! From what a unit says to what is in front of it: its calibration, the distance, the surroundings.
//!
//! Cheap heads read 2 to 4 degrees low, and each differently; at 30 cm a forehead fills half of what they see; in the cold
//! skin is cooler than the person. Three corrections, each data that somebody measured or read in a sheet, none of
//! them guessed here: without data a reading stays as it was said. They are applied before anything is judged, so
//! that thresholds mean the same at every gate.
//!
//! Invariant: a correction is bounded ([`MAX_CENTI_C`]), so that no file of data makes a fever of a wall, or hides one
//! behind ten degrees.

use super::Reading;
use core::fmt;

/// No single correction moves a reading by more, in hundredths of a degree: 5 degrees.
pub const MAX_CENTI_C: i16 = 500;
/// Two points of a calibration are at least this far apart, in hundredths of a degree: from closer ones a slope is noise.
pub const MIN_APART_CENTI_C: i16 = 200;
/// The most points of a curve.
pub const MAX_POINTS: usize = 8;

/// Why a correction is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorrectionError {
    /// It would move a reading by more than [`MAX_CENTI_C`].
    TooMuch(i16),
    /// The two points of a calibration are too close to each other.
    TooClose(i16),
    /// A degree more in front of the unit is less than 0.8 or more than 1.25 degrees more in what it says.
    Slope,
    /// The points of a curve do not rise.
    Order,
    /// A curve without a point, or with more than [`MAX_POINTS`].
    Points(usize),
}

impl fmt::Display for CorrectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CorrectionError::TooMuch(centi_c) => write!(
                f,
                "it would move a reading by {} hundredths of a degree, more than {MAX_CENTI_C}: the unit is broken, or the \
                 reference is not what it is taken for",
                centi_c.unsigned_abs()
            ),
            CorrectionError::TooClose(centi_c) => write!(
                f,
                "the two references are {centi_c} hundredths of a degree apart: take two that differ by \
                 {MIN_APART_CENTI_C} at least, such as 34 and 38 degrees"
            ),
            CorrectionError::Slope => {
                f.write_str("the unit does not follow its references (slope under 0.8 or over 1.25): measure both again, or replace it")
            }
            CorrectionError::Order => f.write_str("the points of a curve must rise: put them in order, none twice"),
            CorrectionError::Points(count) => write!(f, "a curve has 1 to {MAX_POINTS} points, not {count}"),
        }
    }
}

impl core::error::Error for CorrectionError {}

/// What a unit said of something whose temperature was known, both in hundredths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// What the unit said.
    pub said_centi_c: i16,
    /// What it was.
    pub was_centi_c: i16,
}

/// The calibration of one unit: a straight line through two points, or a shift by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration {
    low: Point,
    high: Point,
}

impl Calibration {
    /// A shift, from one reference.
    ///
    /// # Errors
    /// [`CorrectionError::TooMuch`].
    pub fn of_one(point: Point) -> Result<Calibration, CorrectionError> {
        let shift = bounded(i32::from(point.was_centi_c) - i32::from(point.said_centi_c))?;
        // The same shift everywhere: a second point that far away has it too.
        let high = |centi_c: i16| centi_c.saturating_add(MIN_APART_CENTI_C);
        let said_centi_c = high(point.said_centi_c);
        Ok(Calibration { low: point, high: Point { said_centi_c, was_centi_c: said_centi_c.saturating_add(shift) } })
    }

    /// A line through two references, in any order.
    ///
    /// # Errors
    /// [`CorrectionError`].
    pub fn of_two(a: Point, b: Point) -> Result<Calibration, CorrectionError> {
        let (low, high) = if a.was_centi_c <= b.was_centi_c { (a, b) } else { (b, a) };
        for point in [low, high] {
            bounded(i32::from(point.was_centi_c) - i32::from(point.said_centi_c))?;
        }
        let was = i32::from(high.was_centi_c) - i32::from(low.was_centi_c);
        let said = i32::from(high.said_centi_c) - i32::from(low.said_centi_c);
        if was < i32::from(MIN_APART_CENTI_C) {
            return Err(CorrectionError::TooClose(clamped(was)));
        }
        if said * 5 < was * 4 || said * 4 > was * 5 {
            return Err(CorrectionError::Slope);
        }
        Ok(Calibration { low, high })
    }

    /// What was in front of the unit when it said this.
    pub fn apply(&self, said_centi_c: i16) -> i16 {
        let [said, low, high] = [said_centi_c, self.low.said_centi_c, self.high.said_centi_c].map(i32::from);
        let (was_low, was_high) = (i32::from(self.low.was_centi_c), i32::from(self.high.was_centi_c));
        let rise = (said - low) * (was_high - was_low);
        let span = high - low;
        // Rounded to the nearest, away from nothing at a half.
        let rounded = if rise < 0 { (rise - span / 2) / span } else { (rise + span / 2) / span };
        clamped(was_low + rounded)
    }
}

/// What is added to a reading where something else has a value; straight between points, level beyond them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    points: heapless::Vec<(i16, i16), MAX_POINTS>,
}

impl Curve {
    /// A curve through points `(value, added hundredths of a degree)` by rising value.
    ///
    /// # Errors
    /// [`CorrectionError`].
    pub fn new(points: &[(i16, i16)]) -> Result<Curve, CorrectionError> {
        let kept = heapless::Vec::from_slice(points).map_err(|_| CorrectionError::Points(points.len()))?;
        if kept.is_empty() {
            return Err(CorrectionError::Points(0));
        }
        if !kept.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(CorrectionError::Order);
        }
        points.iter().try_for_each(|(_, added)| bounded(i32::from(*added)).map(drop))?;
        Ok(Curve { points: kept })
    }

    /// What is added at a value.
    pub fn at(&self, value: i16) -> i16 {
        let above = self.points.iter().position(|(at, _)| *at >= value);
        match above {
            None => self.points.last().map_or(0, |(_, added)| *added),
            Some(0) => self.points.first().map_or(0, |(_, added)| *added),
            Some(above) => {
                let [from, to] =
                    [self.points[above - 1], self.points[above]].map(|(x, y)| (i32::from(x), i32::from(y)));
                clamped(from.1 + (to.1 - from.1) * (i32::from(value) - from.0) / (to.0 - from.0))
            }
        }
    }
}

/// Everything that is corrected of one unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// Of the unit itself.
    pub calibration: Option<Calibration>,
    /// For the distance at which foreheads are, in hundredths of a degree.
    pub distance_centi_c: i16,
    /// By the ambient temperature in hundredths of a degree.
    pub ambient: Option<Curve>,
}

impl Correction {
    /// What is in front of the unit when it says this.
    pub fn apply(&self, said: Reading) -> Reading {
        let calibrated = self.calibration.map_or(said.temp_centi_c, |calibration| calibration.apply(said.temp_centi_c));
        let by_ambient = self.ambient.as_ref().map_or(0, |curve| curve.at(said.ambient_centi_c));
        let temp_centi_c = calibrated.saturating_add(self.distance_centi_c).saturating_add(by_ambient);
        Reading { temp_centi_c, ..said }
    }
}

fn bounded(centi_c: i32) -> Result<i16, CorrectionError> {
    let found = clamped(centi_c);
    if found.unsigned_abs() <= MAX_CENTI_C.unsigned_abs() { Ok(found) } else { Err(CorrectionError::TooMuch(found)) }
}

fn clamped(centi_c: i32) -> i16 {
    centi_c.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn point(said_centi_c: i16, was_centi_c: i16) -> Point {
        Point { said_centi_c, was_centi_c }
    }

    #[test]
    fn two_points_make_a_line_through_both() {
        // A unit that reads 3 degrees low at 34 and 2.2 low at 38.
        let calibration = Calibration::of_two(point(3580, 3800), point(3100, 3400)).expect("a usual unit");
        assert_eq!([3100, 3580, 3340].map(|said| calibration.apply(said)), [3400, 3800, 3600]);
        assert_eq!(calibration.apply(3484), 3720, "between them");
        assert_eq!(calibration.apply(2620), 3000, "and beyond them");
    }

    #[test]
    fn one_point_makes_a_shift() {
        let calibration = Calibration::of_one(point(3450, 3600)).expect("a usual unit");
        assert_eq!([2000, 3450, 4000].map(|said| calibration.apply(said)), [2150, 3600, 4150]);
    }

    #[test]
    fn what_is_no_calibration_is_refused_by_its_defect() {
        let of = |a, b| Calibration::of_two(a, b).err();
        assert_eq!(of(point(2800, 3400), point(3700, 3800)), Some(CorrectionError::TooMuch(600)));
        assert_eq!(of(point(3400, 3600), point(3500, 3700)), Some(CorrectionError::TooClose(100)));
        assert_eq!(of(point(3400, 3400), point(3600, 3800)), Some(CorrectionError::Slope), "half as steep");
        assert_eq!(of(point(3600, 3400), point(3600, 3800)), Some(CorrectionError::Slope), "stuck");
        assert_eq!(of(point(3300, 3400), point(3850, 3800)), Some(CorrectionError::Slope), "too steep");
        assert_eq!(Calibration::of_one(point(3000, 3600)).err(), Some(CorrectionError::TooMuch(600)));
    }

    #[test]
    fn a_curve_is_straight_between_its_points_and_level_beyond() {
        // What one vendor adds at 10, 30 and 50 cm.
        let curve = Curve::new(&[(10, 89), (30, 136), (50, 241)]).expect("a vendor's");
        assert_eq!([0, 10, 20, 30, 40, 50, 99].map(|cm| curve.at(cm)), [89, 89, 112, 136, 188, 241, 241]);
        assert_eq!(Curve::new(&[]).err(), Some(CorrectionError::Points(0)));
        assert_eq!(Curve::new(&[(0, 0); 9]).err(), Some(CorrectionError::Points(9)));
        assert_eq!(Curve::new(&[(3, 0), (3, 1)]).err(), Some(CorrectionError::Order));
        assert_eq!(Curve::new(&[(3, 501)]).err(), Some(CorrectionError::TooMuch(501)));
    }

    #[test]
    fn corrections_add_up_and_leave_the_surroundings() {
        let correction = Correction {
            calibration: Some(Calibration::of_one(point(3450, 3600)).expect("usual")),
            distance_centi_c: 89,
            ambient: Some(Curve::new(&[(1000, 60), (2000, 0)]).expect("rises")),
        };
        let said = Reading::of(3400, 1500);
        let corrected = Reading { temp_centi_c: 3400 + 150 + 89 + 30, ..said };
        assert_eq!(correction.apply(said), corrected);
        assert_eq!(corrected.raw_centi_c, 3400);
        assert_eq!(Correction::default().apply(said), said);
    }

    proptest! {
        #[test]
        fn no_reading_and_no_calibration_panics_and_order_is_kept(
            a in any::<(i16, i16)>(), b in any::<(i16, i16)>(), said in any::<(i16, i16)>()
        ) {
            if let Ok(calibration) = Calibration::of_two(point(a.0, a.1), point(b.0, b.1)) {
                let (low, high) = (said.0.min(said.1), said.0.max(said.1));
                prop_assert!(calibration.apply(low) <= calibration.apply(high));
            }
        }
    }
}
