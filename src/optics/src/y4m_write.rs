//! Luma frames into a monochrome Y4M stream, for the demo and for recordings.
//!
//! Separate from [`y4m`](super::y4m), which reads what others wrote: a gate
//! reads streams and never writes one.

use std::io::Write;

use super::frame::Frame;
use super::y4m::{FRAME, MAGIC, Y4mError, check_size};

/// Writes luma frames as a monochrome Y4M stream.
#[derive(Debug)]
pub struct Y4mWriter<W> {
    sink: W,
    width: u32,
    height: u32,
}

impl<W: Write> Y4mWriter<W> {
    /// Writes the header for frames of this size (in pixels) at `rate_fps`.
    ///
    /// # Errors
    /// [`Y4mError::Size`] for a size that no [`Frame`] has, [`Y4mError::Io`].
    pub fn new(mut sink: W, width: u32, height: u32, rate_fps: u32) -> Result<Self, Y4mError> {
        check_size(width, height)?;
        writeln!(sink, "{MAGIC} W{width} H{height} F{rate_fps}:1 Ip A1:1 Cmono")?;
        Ok(Self { sink, width, height })
    }

    /// Appends a frame and flushes it, so that a reader on a pipe sees it now.
    ///
    /// # Errors
    /// [`Y4mError::Size`] for a frame of another size, [`Y4mError::Io`].
    pub fn write(&mut self, frame: &Frame) -> Result<(), Y4mError> {
        if (frame.width(), frame.height()) != (self.width, self.height) {
            return Err(Y4mError::Size);
        }
        writeln!(self.sink, "{FRAME}")?;
        self.sink.write_all(frame.luma())?;
        self.sink.flush()?;
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first thing that fails")]
mod tests {
    use super::*;
    use crate::Y4mReader;

    #[test]
    fn what_is_written_is_read_back() {
        let frames: Vec<_> = (0..3_u8).map(|n| Frame::new(3, 2, vec![n, 1, 2, 3, 4, 5]).unwrap()).collect();
        let mut bytes = Vec::new();
        let mut writer = Y4mWriter::new(&mut bytes, 3, 2, 25).unwrap();
        for frame in &frames {
            writer.write(frame).unwrap();
        }
        let read: Vec<_> = Y4mReader::new(&bytes[..]).unwrap().map(Result::unwrap).collect();
        assert_eq!(read.len(), 3);
        for (read, written) in read.iter().zip(&frames) {
            assert_eq!(read.luma(), written.luma());
        }
    }

    #[test]
    fn a_frame_of_another_size_is_refused() {
        let mut writer = Y4mWriter::new(Vec::new(), 3, 2, 25).unwrap();
        let turned = Frame::new(2, 3, vec![0; 6]).unwrap();
        assert!(matches!(writer.write(&turned), Err(Y4mError::Size)));
    }
}
