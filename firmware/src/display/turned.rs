//! What is painted upright, on a screen that is mounted another way round.

use menshen_lane::ports::{Area, Picture};

use crate::board::Rotate;

impl Rotate {
    /// How large a screen of a device's size is as it is looked at.
    pub(super) fn looked_at(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Rotate::None | Rotate::Half => (width, height),
            Rotate::Right | Rotate::Left => (height, width),
        }
    }

    /// Where an area of the picture is on a device of this size.
    pub(super) fn on_device(self, area: Area, (width, height): (u32, u32)) -> Area {
        let Area { x, y, width: w, height: h } = area;
        match self {
            Rotate::None => area,
            Rotate::Half => Area { x: width - x - w, y: height - y - h, width: w, height: h },
            Rotate::Right => Area { x: width - y - h, y: x, width: h, height: w },
            Rotate::Left => Area { x: y, y: height - x - w, width: h, height: w },
        }
    }

    /// Gives the pixels of a piece of a device's row, from left to right.
    pub(super) fn row(
        self,
        picture: Picture<'_>,
        (width, height): (u32, u32),
        y: u32,
        columns: std::ops::Range<u32>,
        mut each: impl FnMut(u32),
    ) {
        let pixel = |x: u32, y: u32| picture.row(y).get(x as usize).copied().unwrap_or_default();
        match self {
            Rotate::None => {
                let row = picture.row(y).get(columns.start as usize..columns.end as usize);
                row.unwrap_or_default().iter().copied().for_each(each);
            }
            Rotate::Half => columns.for_each(|x| each(pixel(width - 1 - x, height - 1 - y))),
            Rotate::Right => columns.for_each(|x| each(pixel(y, width - 1 - x))),
            Rotate::Left => columns.for_each(|x| each(pixel(height - 1 - y, x))),
        }
    }
}
