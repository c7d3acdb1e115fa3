//! Passes that are good, and every way in which one may not be.

mod good;
mod strict;
mod tamper;
mod vectors_claims;
mod vectors_envelope;
