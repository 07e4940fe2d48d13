//! Reads a document in a process of its own.
//!
//! Whatever a parser does with a hostile file, such as taking all memory, computing without end, or
//! overflowing its stack, ends that process and not the program. The process is the same program,
//! started once more with a hidden argument, which [`serve`] recognizes.
//!
//! - **Memory** is limited by the operating system on Linux and other Unix systems. macOS does not
//!   enforce such a limit, and Windows has none that a process sets for itself.
//! - **Computing** is limited by the operating system on Unix, in seconds of the processor, so that
//!   a busy machine fails no sound document. Elsewhere the time by the clock is limited.
//! - **Output** is bounded by the parent as it reads, and checked before it is used.
//! - The process ends when nobody waits for the document any more, and when the parent is gone,
//!   however that ended.
//! - This is no sandbox: the process may do all that the program may do.
//!
//! Settings, and a password among them, go through standard input, never through arguments or the
//! environment, which other users can see.

mod frame;
mod limits;
mod parent;
mod server;

use serde::{Deserialize, Serialize};

pub use server::serve;

pub(super) use parent::read;
pub(super) use server::this_program;

pub(super) use limits::Limits;

use super::reading::Reading;
use crate::source::Source;

/// The first argument of a process that reads one document. A file of this name is given as
/// `./__read-document`.
const ARGUMENT: &str = "__read-document";

/// A document to read, as it is sent to the process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) source: Source,
    pub(super) reading: Reading,
    pub(super) limits: Limits,
}
