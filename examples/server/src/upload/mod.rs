//! Files that somebody sends.
//!
//! Nothing that a client says of a file is believed. Its bytes go to a file under a name of ours,
//! which is removed when it is dropped ([`folder`]: or when the next process begins, if this one is
//! killed); the name that it came with is a label to show ([`label`]); its first bytes say what it
//! is ([`sniff`]). The size of a request is bounded while it is read ([`part_head`]: and so is all
//! that is not a file's content), and the rest of one that is too large is read on for a moment and
//! thrown away, so that the client gets to see why ([`drain`]).

mod drain;
mod folder;
mod label;
mod part_head;
mod receive;
mod sniff;

pub(crate) use drain::drained;
pub(crate) use folder::Folder;
pub(crate) use part_head::{PART_HEAD, Parts};
pub(crate) use receive::{Refusal, Upload, receive};
