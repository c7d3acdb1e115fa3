//! From the soft modules of one QR symbol to its bytes (ISO/IEC 18004:2015, Model 2).
//!
//! What a camera sees of a module is a shade, not a bit. This decoder keeps the shade: format and version information
//! are correlated, not compared, and codewords of doubtful modules are erased, which costs error correction half as much
//! as an unknown error. Separate from finding and sampling, and free of pictures. Invariants: nothing is returned that
//! error correction did not confirm with codewords to spare and that is not a sound bit stream; no input panics.

mod bits;
mod format;
mod layout;
mod reed_solomon;

pub(crate) use layout::alignment_centres;

/// The modules of one symbol: row by row, positive dark, negative light, 0 unknown, up to ±127 by confidence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Soft<'a> {
    /// Modules a side.
    pub(crate) size: usize,
    pub(crate) modules: &'a [i8],
}
