//! How the device itself is, as far as it can be read: its supply and its heat.
//!
//! Where and how that is read is the board's matter and stays in the firmware; here is what it says.

/// What a device says of itself; `None` where it can not be read here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vitals {
    /// The supply voltage is too low now.
    pub under_voltage: Option<bool>,
    /// It has been too low since the device was started.
    pub was_under_voltage: Option<bool>,
    /// The temperature of the processor, in degrees Celsius.
    pub heat_c: Option<f32>,
    /// Why the supply can not be read, where it should; one sentence with its remedy.
    pub fault: Option<String>,
}
