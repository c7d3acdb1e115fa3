//! Curves on a picture: an SVG path, filled or as a line with round ends, smoothly and at any size.
//!
//! The paths are those of the panel's page, so both show the same drawings. `kurbo` reads and widens them, and the
//! rasterizer that sets the type fills them.

use super::canvas::Canvas;
use ab_glyph_rasterizer::{Rasterizer, point};
use embedded_graphics::pixelcolor::Rgb888;
use kurbo::{Affine, BezPath, Cap, Join, PathEl, Point, Rect, Shape, Stroke, StrokeOpts};

/// How far a curve may be from the lines that stand for it, in pixels.
const TOLERANCE: f64 = 0.1;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) width: f64,
    /// How long a dash and the gap after it are; `None` for a line without gaps.
    pub(super) dash: Option<(f64, f64)>,
}

/// Fills a path, whose winding goes one way.
pub(super) fn fill(canvas: &mut Canvas, path: &BezPath, at: Affine, ink: Rgb888) {
    let path = at * path;
    let bounds = path.bounding_box().expand();
    let visible = bounds.intersect(Rect::new(0.0, 0.0, canvas.width().into(), canvas.height().into()));
    if visible.width() <= 0.0 || visible.height() <= 0.0 {
        return;
    }
    // All of the path fits, whether or not it is on the picture: the rasterizer wants no line outside of it.
    let (width, height) = (bounds.width() as usize + 1, bounds.height() as usize + 1);
    let mut rasterizer = Rasterizer::new(width, height);
    let near = |at: Point| point((at.x - bounds.x0) as f32, (at.y - bounds.y0) as f32);
    let (mut start, mut last) = (Point::ZERO, Point::ZERO);
    kurbo::flatten(&path, TOLERANCE, |element| match element {
        PathEl::MoveTo(to) => {
            rasterizer.draw_line(near(last), near(start));
            (start, last) = (to, to);
        }
        PathEl::LineTo(to) => {
            rasterizer.draw_line(near(last), near(to));
            last = to;
        }
        PathEl::ClosePath => {
            rasterizer.draw_line(near(last), near(start));
            last = start;
        }
        // Flattening leaves lines only.
        PathEl::QuadTo(..) | PathEl::CurveTo(..) => {}
    });
    rasterizer.draw_line(near(last), near(start));
    let (left, top) = (bounds.x0 as i32, bounds.y0 as i32);
    rasterizer.for_each_pixel_2d(|x, y, cover| {
        if cover > 0.004 {
            canvas.blend(left + x as i32, top + y as i32, ink, cover);
        }
    });
}

/// Draws a path as a line with round ends and corners.
pub(super) fn stroke(canvas: &mut Canvas, path: &BezPath, line: Line, at: Affine, ink: Rgb888) {
    let style = Stroke::new(line.width).with_caps(Cap::Round).with_join(Join::Round);
    let style = match line.dash {
        Some((dash, gap)) => style.with_dashes(0.0, [dash, gap]),
        None => style,
    };
    let scale = at.determinant().abs().sqrt().max(1e-6);
    // Each piece by itself: where pieces meet their windings could cancel each other out.
    for piece in pieces(path) {
        let wide = kurbo::stroke(piece, &style, &StrokeOpts::default(), TOLERANCE / scale);
        fill(canvas, &wide, at, ink);
    }
}

/// The parts of a path that hang together.
fn pieces(path: &BezPath) -> Vec<BezPath> {
    let mut pieces: Vec<BezPath> = Vec::new();
    for element in path.elements() {
        if matches!(element, PathEl::MoveTo(_)) {
            pieces.push(BezPath::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(*element);
        }
    }
    pieces
}

/// A rectangle with round corners, in pixels.
pub(super) fn plate(canvas: &mut Canvas, area: Rect, radius: f64, ink: Rgb888) {
    fill(canvas, &area.to_rounded_rect(radius).to_path(TOLERANCE), Affine::IDENTITY, ink);
}
