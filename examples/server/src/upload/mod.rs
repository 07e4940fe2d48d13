//! Files that somebody sends.
//!
//! Nothing that a client says of a file is believed. Its bytes go to a file under a name of ours, which is removed when it
//! is dropped ([`folder`]: or when the next process begins, if this one is killed); the name that it came with is a label to show ([`label`]); what it is, its first bytes say
//! ([`sniff`]). The size of a request is bounded while it is read, and what is more than that is read on for
//! a moment and thrown away, so that the client gets to see why ([`drain`]).

mod drain;
mod folder;
mod label;
mod receive;
mod sniff;

pub(crate) use drain::drained;
pub(crate) use folder::Folder;
pub(crate) use receive::{Refusal, Upload, receive};
