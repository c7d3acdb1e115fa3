//! Parts of a gate that are not there, simulated at the level of their bytes.
//!
//! A simulated part stands at the far end of a real system interface and speaks what the real part
//! speaks, so that the adapter under it is the one that runs at a gate.

mod control;
mod rs485;
mod rtc_chip;
mod switch;
mod thermometer_unit;

pub use control::ControlFile;
pub use rs485::Rs485Line;
pub use rtc_chip::SimRtc;
pub use switch::SimSwitch;
pub use thermometer_unit::ThermometerUnit;
