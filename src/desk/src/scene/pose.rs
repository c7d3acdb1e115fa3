//! Where the carrier is, and how its plane maps to the frame and back.
//!
//! A pinhole camera looks at a plane whose unit is one module and whose origin
//! is the centre of the code. The map between the two is a homography; painting
//! asks for it backwards, from pixel to module, and for a box forwards.

use super::camera::Camera;
use super::random::Random;

/// Focal length in frame widths: a field of view of 53°, as of common modules.
const FOCAL_WIDTHS: f64 = 1.0;

type Matrix = [[f64; 3]; 3];

/// One carrier's place before one camera.
#[derive(Debug)]
pub(super) struct Pose {
    to_frame: Matrix,
    to_plane: Matrix,
}

impl Pose {
    pub(super) fn draw(camera: &Camera, random: &mut Random) -> Self {
        let module_px = f64::from(random.within(&camera.module_px));
        let mut radians = |range| f64::from(random.within(range)).to_radians();
        let turn = radians(&camera.rotation_deg);
        let (lean_x, lean_y) = (radians(&camera.tilt_deg), radians(&camera.tilt_deg));
        let mut centre = |side: u32| f64::from(side) / 2.0 + f64::from(random.within(&camera.offset_px));
        let (centre_x, centre_y) = (centre(camera.width), centre(camera.height));
        let focal = FOCAL_WIDTHS * f64::from(camera.width);
        let distance = focal / module_px;
        let [x_axis, y_axis] = axes(turn, lean_x, lean_y);
        let to_frame = [
            [focal * x_axis[0] + centre_x * x_axis[2], focal * y_axis[0] + centre_x * y_axis[2], centre_x * distance],
            [focal * x_axis[1] + centre_y * x_axis[2], focal * y_axis[1] + centre_y * y_axis[2], centre_y * distance],
            [x_axis[2], y_axis[2], distance],
        ];
        Self { to_frame, to_plane: inverse(&to_frame) }
    }

    /// The point of the plane, in modules, seen at a point of the frame, in
    /// pixels; `None` where the plane is behind the camera.
    pub(super) fn plane_at(&self, x: f64, y: f64) -> Option<(f32, f32)> {
        let (u, v) = map(&self.to_plane, x, y)?;
        Some((u as f32, v as f32))
    }

    /// The point of the frame, in pixels, that shows a point of the plane.
    pub(super) fn frame_at(&self, u: f32, v: f32) -> Option<(f64, f64)> {
        map(&self.to_frame, f64::from(u), f64::from(v))
    }
}

/// The plane's own axes in the camera's space, turned and then leaned.
fn axes(turn: f64, lean_x: f64, lean_y: f64) -> [[f64; 3]; 2] {
    let lean = |[x, y]: [f64; 2]| {
        let (sin_x, cos_x) = lean_x.sin_cos();
        let (sin_y, cos_y) = lean_y.sin_cos();
        let (y, z) = (y * cos_x, y * sin_x);
        [x * cos_y + z * sin_y, y, z * cos_y - x * sin_y]
    };
    let (sin, cos) = turn.sin_cos();
    [lean([cos, sin]), lean([-sin, cos])]
}

fn map(m: &Matrix, x: f64, y: f64) -> Option<(f64, f64)> {
    let row = |r: &[f64; 3]| r[0] * x + r[1] * y + r[2];
    let depth = row(&m[2]);
    (depth > 0.0).then(|| (row(&m[0]) / depth, row(&m[1]) / depth))
}

/// The inverse by cofactors. A plane seen edge-on has none: its numbers are
/// not finite then, and `map` finds no point with them.
fn inverse(m: &Matrix) -> Matrix {
    let minor = |r: [usize; 2], c: [usize; 2]| m[r[0]][c[0]] * m[r[1]][c[1]] - m[r[0]][c[1]] * m[r[1]][c[0]];
    let rest = [[1, 2], [0, 2], [0, 1]];
    let cofactor = |r: usize, c: usize| {
        let sign = if (r + c).is_multiple_of(2) { 1.0 } else { -1.0 };
        sign * minor(rest[r], rest[c])
    };
    let determinant: f64 = (0..3).map(|c| m[0][c] * cofactor(0, c)).sum();
    std::array::from_fn(|r| std::array::from_fn(|c| cofactor(c, r) / determinant))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;

    #[test]
    fn a_point_goes_to_the_frame_and_comes_back() {
        for seed in 0..50 {
            let pose = Pose::draw(&Camera::askew(), &mut Random::new(seed));
            for (u, v) in [(0.0, 0.0), (28.5, -28.5), (-30.0, 12.0)] {
                let (x, y) = pose.frame_at(u, v).unwrap();
                let (u_back, v_back) = pose.plane_at(x, y).unwrap();
                assert!((u - u_back).abs() + (v - v_back).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn a_module_at_the_centre_has_its_size_when_nothing_leans() {
        let camera = Camera { module_px: 6.0..=6.0, tilt_deg: 0.0..=0.0, ..Camera::easy() };
        let pose = Pose::draw(&camera, &mut Random::new(4));
        let (x0, y0) = pose.frame_at(-0.5, 0.0).unwrap();
        let (x1, y1) = pose.frame_at(0.5, 0.0).unwrap();
        assert!(((x1 - x0).hypot(y1 - y0) - 6.0).abs() < 1e-6);
    }
}
