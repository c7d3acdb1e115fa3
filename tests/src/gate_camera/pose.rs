//! Where the code lies before the camera: a plane, turned and tilted, through a pinhole.

/// The map from pixels to the plane of the code, whose half side (with its quiet zone) is 1.
#[derive(Debug, Clone, Default)]
pub(super) struct Pose {
    /// Row-major, from pixels to the plane.
    back: [f32; 9],
    /// Row-major, from the plane to pixels.
    there: [f32; 9],
}

/// The camera is so many half codes away.
const DISTANCE: f32 = 3.2;

impl Pose {
    /// A plane turned by `angles` (roll, yaw, pitch, in degrees), whose half side is `half_px` pixels, at `centre`; moved
    /// so that its corners are within the frame when they can be.
    pub(super) fn new(angles: [f32; 3], half_px: f32, centre: [f32; 2], width: usize, height: usize) -> Self {
        let [(sr, cr), (sy, cy), (sp, cp)] = angles.map(|degrees| degrees.to_radians().sin_cos());
        // Pitch after yaw after roll, the columns of the plane's two axes only.
        let turned = |x: f32, y: f32| {
            let (x, y) = (cr * x - sr * y, sr * x + cr * y);
            let (x, z) = (cy * x, -sy * x);
            [x, cp * y - sp * z, sp * y + cp * z]
        };
        let (a, b) = (turned(1.0, 0.0), turned(0.0, 1.0));
        let map = |centre: [f32; 2]| {
            let ([ax, ay, az], [bx, by, bz]) = (a, b);
            let (u, v) = (az / DISTANCE, bz / DISTANCE);
            let [cx, cy] = centre;
            [
                half_px * ax + cx * u,
                half_px * bx + cx * v,
                cx,
                half_px * ay + cy * u,
                half_px * by + cy * v,
                cy,
                u,
                v,
                1.0,
            ]
        };
        let mut there = map(centre);
        let mut shifted = centre;
        for (axis, side) in [width as f32, height as f32].into_iter().enumerate() {
            let corners =
                [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(x, y)| project(&there, x, y)[axis]);
            let (least, most) = corners.iter().fold((f32::MAX, f32::MIN), |(a, b), &at| (a.min(at), b.max(at)));
            if least < 2.0 {
                shifted[axis] += 2.0 - least;
            } else if most > side - 2.0 {
                shifted[axis] -= most - (side - 2.0);
            }
        }
        if shifted != centre {
            there = map(shifted);
        }
        Self { back: inverse(&there), there }
    }

    /// The point of the plane that a point of the frame shows.
    pub(super) fn plane(&self, x: f32, y: f32) -> [f32; 2] {
        project(&self.back, x, y)
    }

    /// Where a point of the plane is seen.
    pub(super) fn pixel(&self, x: f32, y: f32) -> [f32; 2] {
        project(&self.there, x, y)
    }
}

fn project(m: &[f32; 9], x: f32, y: f32) -> [f32; 2] {
    let w = m[6] * x + m[7] * y + m[8];
    [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w]
}

/// Up to a factor, which a projective map does not feel.
fn inverse(m: &[f32; 9]) -> [f32; 9] {
    let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
    [
        minor(4, 5, 7, 8),
        -minor(1, 2, 7, 8),
        minor(1, 2, 4, 5),
        -minor(3, 5, 6, 8),
        minor(0, 2, 6, 8),
        -minor(0, 2, 3, 5),
        minor(3, 4, 6, 7),
        -minor(0, 1, 6, 7),
        minor(0, 1, 3, 4),
    ]
}
