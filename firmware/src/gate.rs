//! From a board to the open ports of a gate.
//!
//! Everything that may come and go at run time (camera, thermometer) is handed on as a way to open it;
//! what a gate can not be a gate without (its state directory, its outputs, its clock) is opened here,
//! and a board that does not have it is refused at the start.

use menshen_core::decide::Verdict;
use menshen_lane::panel::Listen;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use menshen_lane::ports::{Camera, Clock, Display, GateInput, GateOutput, Open, Speaker, Thermometer};
use menshen_lane::proof::Fitted;
use menshen_lane::words::Lang;

use crate::board::{Board, BoardError, Function, Sound, SoundAt};
use crate::clock::{GateClock, Teller};
use crate::outputs::GuardAs;
use crate::{camera, display, inputs, osdp, outputs, speaker, thermometer};

/// The ports of one gate.
pub struct GatePorts {
    /// Those of each lane, the first one first.
    pub lanes: Vec<LanePorts>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The ports of one lane.
pub struct LanePorts {
    /// Opens the camera.
    pub camera: Open<dyn Camera>,
    /// Opens the thermometer; `None` where the lane has none.
    pub thermometer: Option<Open<dyn Thermometer>>,
    /// Opens the switches (button, presence sensor, fire alarm); `None` where the board has none. The fire alarm holds the
    /// way open whether or not anybody listens here.
    pub inputs: Option<Open<dyn GateInput>>,
    /// Relay, lamps and buzzer, all off.
    pub outputs: Box<dyn GateOutput>,
    /// Whether the relay has a guard; `None` without a relay.
    pub guarded: Option<Arc<AtomicBool>>,
    /// What of the outputs there is.
    pub fitted: Fitted,
    /// Opens the screen that the gate paints itself, with the language that is large on it; `None` where there is none.
    pub display: Option<(Open<dyn Display>, Lang)>,
    /// Its loudspeaker; `None` where the lane has none.
    pub speaker: Option<LaneSpeaker>,
    /// Where the panel is served; empty for no panel.
    pub panel_listen: Vec<Listen>,
}

/// The loudspeaker of one lane.
pub struct LaneSpeaker {
    /// Opens it.
    pub open: Open<dyn Speaker>,
    /// Whether it sounds the rhythms too.
    pub has_tones: bool,
    /// Whether somebody can hear it, so that a page on the device has nothing to say.
    pub is_heard: bool,
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
        let mut lanes = Vec::new();
        for (lane, number) in board.all_lanes().zip(1..) {
            let dir = lane_dir(state_dir, number);
            std::fs::create_dir_all(&dir).map_err(|source| BoardError::State { path: dir.clone(), source })?;
            lanes.push(LanePorts::of(lane, &dir, clock.as_ref(), guard_as)?);
        }
        Ok(GatePorts { lanes, clock })
    }
}

/// Where relative paths of a lane's ports are: the state folder for the first, a folder in it for each further one.
pub fn lane_dir(state_dir: &Path, number: u8) -> PathBuf {
    match number {
        0 | 1 => state_dir.to_owned(),
        number => state_dir.join(format!("lane-{number}")),
    }
}

/// What a board moves, lights and sounds.
pub fn fitted(board: &Board) -> Fitted {
    let outputs = &board.outputs;
    let lamps = [
        (Function::LampAdmit, Verdict::Admit),
        (Function::LampRefer, Verdict::Refer),
        (Function::LampRefuse, Verdict::Refuse),
    ];
    Fitted {
        relay: outputs.has_relay(),
        controller: outputs.wiegand.is_some() || board.osdp.is_some(),
        lamps: lamps.into_iter().filter(|(lamp, _)| outputs.has(*lamp)).map(|(_, verdict)| verdict).collect(),
        buzzer: outputs.has_buzzer(),
        loudspeaker: board.sound.is_some(),
    }
}

impl LaneSpeaker {
    fn of(sound: &Sound, state_dir: &Path) -> LaneSpeaker {
        let is_heard = match sound.at {
            SoundAt::Alsa { .. } => true,
            SoundAt::Recorded { .. } => false,
        };
        LaneSpeaker { open: speaker::opener(sound, state_dir), has_tones: sound.tones, is_heard }
    }
}

impl LanePorts {
    fn of(board: &Board, state_dir: &Path, clock: &dyn Clock, guard_as: &GuardAs) -> Result<LanePorts, BoardError> {
        let outputs = outputs::open(board, state_dir, clock, guard_as)?;
        let inputs = inputs::opener(&board.inputs, state_dir, outputs.alarm());
        let guarded = outputs.guarded();
        let outputs = osdp::beside(Box::new(outputs), board.osdp.as_ref(), state_dir).map_err(BoardError::Outputs)?;
        Ok(LanePorts {
            camera: camera::opener(&board.camera, state_dir),
            thermometer: thermometer::opener(board, state_dir),
            inputs,
            outputs,
            guarded,
            fitted: fitted(board),
            display: board.display.as_ref().map(|screen| (display::opener(screen, state_dir), screen.lang)),
            speaker: board.sound.as_ref().map(|sound| LaneSpeaker::of(sound, state_dir)),
            panel_listen: board.panel_listen.clone(),
        })
    }
}
