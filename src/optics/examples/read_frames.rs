//! Reads each picture of a list with full effort and says how many showed a code: for profilers, which should see the
//! reader and nothing else. `tests/peers/instructions.sh` counts its instructions.

use menshen_optics::{Frame, FrameError, Reader};

fn main() -> Result<(), FrameError> {
    let mut reader = Reader::new();
    let (mut read, mut all) = (0, 0);
    for file in std::env::args_os().skip(1) {
        let frame = Frame::from_picture(file)?;
        reader.forget();
        read += usize::from(!reader.read(&frame).payloads.is_empty());
        all += 1;
    }
    println!("{read} of {all} read");
    Ok(())
}
