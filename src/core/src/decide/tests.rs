//! Every reason by its one cause, and what admits.

mod admits;
mod reasons;
mod status;
