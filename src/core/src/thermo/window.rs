//! The last bytes of a line, in which a frame is looked for at every byte.
//!
//! A line may be noisy, cut, or opened in the middle of a frame, and some units append bytes that no sheet mentions. So
//! no parser counts bytes or waits for a header: each looks at the newest N and takes them where they are a whole frame.

/// The newest N bytes.
#[derive(Clone, Debug)]
pub(super) struct Window<const N: usize> {
    bytes: [u8; N],
    filled: usize,
}

impl<const N: usize> Window<N> {
    pub(super) const fn new() -> Window<N> {
        Window { bytes: [0; N], filled: 0 }
    }

    /// Takes a byte; gives the newest N, once there are so many.
    pub(super) fn push(&mut self, byte: u8) -> Option<&[u8; N]> {
        self.bytes.rotate_left(1);
        self.bytes[N - 1] = byte;
        self.filled = (self.filled + 1).min(N);
        (self.filled == N).then_some(&self.bytes)
    }

    /// Forgets what was taken as a frame, so that no part of it is taken again.
    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }
}

impl<const N: usize> Default for Window<N> {
    fn default() -> Window<N> {
        Window::new()
    }
}
