//! A thermometer whose readings are corrected before anybody sees them.

use menshen_core::thermo::Reading;
use menshen_core::thermo::correct::Correction;
use menshen_lane::ports::{PortError, Thermometer};
use std::time::Duration;

pub(super) struct Corrected<T> {
    pub(super) unit: T,
    pub(super) correction: Correction,
}

impl<T: Thermometer> Thermometer for Corrected<T> {
    fn reading(&mut self, timeout: Duration) -> Result<Option<Reading>, PortError> {
        let said = self.unit.reading(timeout)?;
        Ok(said.map(|said| self.correction.apply(said)))
    }
}
