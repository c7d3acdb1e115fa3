//! The phone or the paper that bears the code, flat or not.

use menshen::scene::random::Random;
use qrcode::{EcLevel, QrCode};

/// A code on its carrier.
#[derive(Debug, Clone)]
pub(super) struct Carrier {
    /// Modules a side.
    pub(super) size: usize,
    dark: Vec<bool>,
    pub(super) phone: bool,
    /// The light that ink and ground give back or send out; white paper is 1.
    pub(super) levels: (f32, f32),
    /// The light of the carrier beyond the quiet zone.
    pub(super) card: f32,
    pub(super) bend: Bend,
}

/// How the carrier departs from flat.
#[derive(Debug, Clone)]
pub(super) enum Bend {
    Flat,
    /// Around an upright cylinder of this radius, in half codes.
    Curve(f32),
    Creases(Vec<Crease>),
}

/// A fold: a point on it, its normal, how far the sheet is off there (in half codes), and how much light it loses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crease {
    at: [f32; 2],
    normal: [f32; 2],
    by: [f32; 2],
    shade: f32,
}

impl Bend {
    pub(super) fn curve(severity: f32) -> Self {
        Bend::Curve(1.06 + 1.9 * (1.0 - severity))
    }

    pub(super) fn creases(severity: f32, random: &mut Random) -> Self {
        let crease = |_| {
            let (sine, cosine) = (std::f32::consts::PI * random.unit()).sin_cos();
            let amplitude = (0.01 + 0.034 * severity) * (0.5 + 0.5 * random.unit());
            let mut signed = |axis: f32| if random.unit() < 0.5 { -axis * amplitude } else { axis * amplitude };
            let by = [signed(cosine), signed(sine)];
            let at = [random.unit() - 0.5, random.unit() - 0.5];
            Crease { at, normal: [cosine, sine], by, shade: 0.1 + 0.3 * severity }
        };
        Bend::Creases((0..3).map(crease).collect())
    }

    /// Where on the flat sheet a point is that is seen at `u`, `v`, and how much of the light reaches it.
    fn flatten(&self, u: f32, v: f32) -> Option<([f32; 2], f32)> {
        match self {
            Bend::Flat => Some(([u, v], 1.0)),
            Bend::Curve(radius) => {
                let sine = u / radius;
                if sine.abs() > 0.99 {
                    return None;
                }
                let cosine = (1.0 - sine * sine).sqrt();
                // Scaled so that the whole sheet stays in view.
                let scale = (1.0 / radius).min(0.99).asin() * radius;
                Some(([sine.asin() * radius / scale, v + 0.12 * (cosine - 1.0)], 0.4 + 0.6 * cosine))
            }
            Bend::Creases(creases) => {
                let (mut at, mut light) = ([u, v], 1.0);
                for crease in creases {
                    let away = (u - crease.at[0]) * crease.normal[0] + (v - crease.at[1]) * crease.normal[1];
                    let bump = (-away.abs() / 0.2).exp();
                    at = [at[0] + crease.by[0] * bump, at[1] + crease.by[1] * bump];
                    light *= 1.0 - crease.shade * (-away.abs() / 0.035).exp();
                }
                Some((at, light))
            }
        }
    }
}

impl Carrier {
    pub(super) fn draw(text: &str, phone: bool, random: &mut Random) -> Self {
        let levels = [EcLevel::M, EcLevel::M, EcLevel::M, EcLevel::L, EcLevel::Q];
        let level = levels[random.below(levels.len())];
        let code = QrCode::with_error_correction_level(text, level).expect("300 characters fit every level to Q");
        let dark = code.to_colors().into_iter().map(|colour| colour == qrcode::Color::Dark).collect();
        let levels = if phone { (0.02, 1.0) } else { (0.05 + 0.06 * random.unit(), 0.75 + 0.1 * random.unit()) };
        Self { size: code.width(), dark, phone, levels, card: levels.1, bend: Bend::Flat }
    }

    /// The light of the carrier at a point of its plane; `None` beside it.
    pub(super) fn light(&self, u: f32, v: f32) -> Option<f32> {
        // A phone is taller than its code, with a dark rim.
        let (wide, tall) = if self.phone { (1.12, 1.7) } else { (1.04, 1.04) };
        let ([u, v], light) = self.bend.flatten(u, v)?;
        if u.abs() > wide || v.abs() > tall {
            return None;
        }
        if self.phone && (u.abs() > wide - 0.05 || v.abs() > tall - 0.06) {
            return Some(0.015);
        }
        let module = |at: f32| (at + 1.0) * 0.5 * (self.size + 8) as f32 - 4.0;
        let (x, y) = (module(u).floor(), module(v).floor());
        let inside = |at: f32| at >= 0.0 && at < self.size as f32;
        if inside(x) && inside(y) {
            let dark = self.dark[y as usize * self.size + x as usize];
            return Some(light * if dark { self.levels.0 } else { self.levels.1 });
        }
        if u.abs() <= 1.0 && v.abs() <= 1.0 {
            return Some(light * self.levels.1);
        }
        // Lines of text above and below the code.
        let line = (v * 22.0).rem_euclid(3.0) < 1.0 && (u * 17.0 + v * 31.0).sin() > -0.3 && u.abs() < 0.8;
        let text = self.phone && v.abs() > 1.12 && line;
        Some(light * if text { 0.6 * self.card } else { self.card })
    }
}
