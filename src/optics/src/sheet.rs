//! A picture for the engine on which only so many steps may be taken.
//!
//! rqrr paints every dark region it looks at, again when it forgot it; tries
//! every group of three finder-like marks on a copy of the whole picture; and
//! searches around each group in a spiral that a wrong group makes endless.
//! Noise has thousands of regions and hundreds of marks, so one noisy frame
//! could hold a gate for minutes, and the engine has no limit of its own. But
//! all of these come back to the picture: writing, copying, asking for the size.
//! A [`Sheet`] counts them and unwinds with [`Exhausted`], past the panic hook,
//! when they are too many, and the scan ends. A count and not a clock: the same
//! frame reads the same on every machine.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;

use image::{GenericImage, GenericImageView, GrayImage, Luma};

/// The most steps of one scan: a few tenths of a second on a laptop. None
/// of the 165 photographs that are read without a bound is lost to it.
const MAX_STEPS: usize = 64 << 20;

/// What a scan unwinds with when it took too many steps.
#[derive(Debug)]
pub(super) struct Exhausted;

/// An 8-bit picture, all copies of which share one budget.
#[derive(Debug)]
pub(super) struct Sheet {
    picture: GrayImage,
    steps_left: Rc<Cell<usize>>,
}

impl Sheet {
    /// A picture of `pixels`; `None` when they do not fill `width * height`.
    pub(super) fn new(width: u32, height: u32, pixels: &[u8]) -> Option<Self> {
        Some(Self {
            picture: GrayImage::from_raw(width, height, pixels.to_vec())?,
            steps_left: Rc::new(Cell::new(MAX_STEPS)),
        })
    }

    fn spend(&self, steps: usize) {
        let Some(left) = self.steps_left.get().checked_sub(steps) else { resume_unwind(Box::new(Exhausted)) };
        self.steps_left.set(left);
    }
}

impl Clone for Sheet {
    fn clone(&self) -> Self {
        self.spend(self.picture.len());
        Self { picture: self.picture.clone(), steps_left: Rc::clone(&self.steps_left) }
    }
}

impl GenericImageView for Sheet {
    type Pixel = Luma<u8>;

    fn dimensions(&self) -> (u32, u32) {
        self.spend(1);
        self.picture.dimensions()
    }

    fn get_pixel(&self, x: u32, y: u32) -> Self::Pixel {
        *self.picture.get_pixel(x, y)
    }
}

impl GenericImage for Sheet {
    fn get_pixel_mut(&mut self, x: u32, y: u32) -> &mut Self::Pixel {
        self.spend(1);
        self.picture.get_pixel_mut(x, y)
    }

    fn put_pixel(&mut self, x: u32, y: u32, pixel: Self::Pixel) {
        self.spend(1);
        self.picture.put_pixel(x, y, pixel);
    }

    fn blend_pixel(&mut self, x: u32, y: u32, pixel: Self::Pixel) {
        // Luma has no alpha to blend by.
        self.put_pixel(x, y, pixel);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn copies_of_copies_writes_and_looks_share_one_budget() {
        let Some(mut sheet) = Sheet::new(1024, 1024, &vec![0; 1 << 20]) else { panic!("the pixels fill the sheet") };
        let mut copies = 0;
        let cause = catch_unwind(AssertUnwindSafe(|| {
            sheet.put_pixel(0, 0, Luma([1]));
            let _size = sheet.dimensions();
            loop {
                sheet = sheet.clone();
                copies += 1;
            }
        }));
        assert!(cause.is_err_and(|cause| cause.is::<Exhausted>()));
        assert_eq!(copies, (MAX_STEPS >> 20) - 1);
    }

    #[test]
    fn pixels_that_do_not_fill_the_sheet_make_none() {
        assert!(Sheet::new(5, 5, &[0; 24]).is_none());
    }
}
