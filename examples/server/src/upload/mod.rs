//! Receives uploaded files.
//!
//! No claim of the client about a file is trusted. The bytes go to a file with a generated name,
//! which is removed when it is dropped, or when the next process starts if this one is killed
//! ([`folder`]). The name that the client sent is only a label to show ([`label`]), and decides
//! which format of text a text is; the first bytes determine all others
//! ([`recognize`](ragtrace_examples::format::recognize)). The size of a request is limited while it
//! is read, and so is everything that is not a file's content ([`part_head`]). The rest of a
//! request that is too large is read for a moment and thrown away, so that the client receives the
//! answer ([`drain`]).

mod drain;
mod folder;
mod label;
mod part_head;
mod receive;

pub(crate) use drain::drained;
pub(crate) use folder::Folder;
pub(crate) use part_head::{PART_HEAD, Parts};
pub(crate) use receive::{Refusal, Upload, receive};
