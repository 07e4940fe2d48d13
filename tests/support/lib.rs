//! What tests of the whole share: sinks that misbehave as they are told, a proxy that does the same
//! to a connection, and an oracle that holds what was issued against what arrived.

mod captured;
mod file;
mod install;
mod oracle;
mod proxy;
mod scripted;
mod wait;

pub use captured::captured;
pub use file::{FileSink, Line, Manner, read_lines};
pub use install::{Installed, install};
pub use oracle::{Oracle, Trace, issue, number_of};
pub use proxy::{Proxy, Weather};
pub use scripted::{Attempt, Reply, Scripted};
pub use wait::until;
