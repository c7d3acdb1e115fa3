//! Every reason by its one cause, and what admits.

mod admits;
mod history;
mod reasons;
mod status;
