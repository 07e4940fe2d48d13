//! Support for the workspace's tests: sinks that misbehave as told, a proxy that does the same to a
//! connection, and an oracle that compares the issued records with those that arrived.

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
