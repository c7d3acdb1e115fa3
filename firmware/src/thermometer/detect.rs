//! Which kind of unit is on a port, found out by listening for all of them at each of their speeds.
//!
//! A field tech has a drawer of look-alike modules. Those that stream, or begin to when they are told, say themselves
//! what they are; an industrial head that only answers is named in the board file.

use super::line::Line;
use menshen_core::thermo::{Parser, Protocol};
use menshen_lane::ports::PortError;
use std::path::Path;
use std::time::{Duration, Instant};

/// For how long each speed is listened to: five readings.
const LISTEN: Duration = Duration::from_millis(400);
/// So many readings of one kind are no chance.
const SURE_AFTER: u8 = 2;

/// What is on a port, and its speed; `first_baud` is tried first.
pub(super) fn find(path: &Path, first_baud: u32) -> Result<(Protocol, u32), PortError> {
    let usual = Protocol::STREAMING.iter().flat_map(|protocol| protocol.bauds()).copied();
    let mut bauds = vec![first_baud];
    for baud in usual {
        if !bauds.contains(&baud) {
            bauds.push(baud);
        }
    }
    let mut has_heard = false;
    for baud in bauds {
        let mut line = Line::open(path, baud)?;
        if let Some(protocol) = listen(&mut line, &mut has_heard)? {
            return Ok((protocol, baud));
        }
    }
    let path = path.display();
    Err(PortError::Absent(if has_heard {
        format!(
            "what comes from the thermometer {path} is of no kind that streams by itself: say what it is in \
             `thermometer.protocol` and `thermometer.baud`"
        )
    } else {
        format!("the thermometer {path} is silent at every speed: check its power, its wires and `thermometer.port`")
    }))
}

/// The kind whose readings come at a speed.
fn listen(line: &mut Line, has_heard: &mut bool) -> Result<Option<Protocol>, PortError> {
    let parser = |protocol| Some((protocol, Parser::new(protocol).ok()?, 0));
    let mut kinds: Vec<(Protocol, Parser, u8)> = Protocol::STREAMING.into_iter().filter_map(parser).collect();
    for (_, parser, _) in &kinds {
        line.write(parser.stream_command())?;
    }
    let deadline = Instant::now() + LISTEN;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        for byte in line.read(left)? {
            *has_heard = true;
            for (protocol, parser, count) in &mut kinds {
                *count += u8::from(parser.push(byte).is_some());
                if *count >= SURE_AFTER {
                    return Ok(Some(*protocol));
                }
            }
        }
    }
}
