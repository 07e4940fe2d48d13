//! The arguments that several commands share, and the settings that stand in for them.

pub(crate) mod duration;
pub(crate) mod filter;
pub(crate) mod find;
pub(crate) mod number;
pub(crate) mod selection;
pub(crate) mod setting;
pub(crate) mod time;
