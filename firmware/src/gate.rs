//! From a board to the open ports of a gate.
//!
//! Everything that may come and go at run time (camera, thermometer) is handed on as a way to open it;
//! what a gate can not be a gate without (its state directory, its outputs, its clock) is opened here,
//! and a board that does not have it is refused at the start.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use menshen_lane::ports::{Camera, Clock, GateInput, GateOutput, Open, Thermometer};

use crate::board::{Board, BoardError};
use crate::clock::{GateClock, Teller};
use crate::outputs::GuardAs;
use crate::{camera, inputs, osdp, outputs, thermometer};

/// The ports of one gate.
pub struct GatePorts {
    /// Opens the camera.
    pub camera: Open<dyn Camera>,
    /// Opens the thermometer; `None` where the lane has none.
    pub thermometer: Option<Open<dyn Thermometer>>,
    /// Opens the switches (button, presence sensor, fire alarm); `None` where the board has none. The fire alarm holds the
    /// way open whether or not anybody listens here.
    pub inputs: Option<Open<dyn GateInput>>,
    /// Relay, lamps and buzzer, all off.
    pub outputs: Box<dyn GateOutput>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Where the panel is served; `None` for no panel.
    pub panel_listen: Option<SocketAddr>,
}

impl GatePorts {
    /// Makes the ports of `board`, whose relay is guarded by a thread; relative paths are within `state_dir`, which is made
    /// if need be. `teller` can tell its clock the time.
    ///
    /// # Errors
    /// [`BoardError`] where the state directory or the outputs can not be used.
    pub fn of(board: &Board, state_dir: &Path, teller: Teller) -> Result<GatePorts, BoardError> {
        GatePorts::guarded(board, state_dir, teller, &GuardAs::Thread)
    }

    /// The same with a guard of the relay that runs as it is told.
    ///
    /// # Errors
    /// As [`GatePorts::of`].
    pub fn guarded(
        board: &Board,
        state_dir: &Path,
        teller: Teller,
        guard_as: &GuardAs,
    ) -> Result<GatePorts, BoardError> {
        let state = |source| BoardError::State { path: state_dir.to_owned(), source };
        if let Err(error) = std::fs::create_dir_all(state_dir) {
            tracing::error!("{} can not be made ({error}): nothing is kept there", state_dir.display());
        }
        let clock: Arc<dyn Clock> = Arc::new(GateClock::open(state_dir, &board.clock, teller).map_err(state)?);
        let outputs = outputs::open(board, state_dir, clock.as_ref(), guard_as)?;
        let inputs = inputs::opener(&board.inputs, state_dir, outputs.alarm());
        let outputs = osdp::beside(Box::new(outputs), board.osdp.as_ref(), state_dir).map_err(BoardError::Outputs)?;
        Ok(GatePorts {
            camera: camera::opener(&board.camera, state_dir),
            thermometer: thermometer::opener(board, state_dir),
            inputs,
            outputs,
            clock,
            panel_listen: board.panel_listen,
        })
    }
}
