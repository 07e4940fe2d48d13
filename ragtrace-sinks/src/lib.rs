//! Where ragtrace's records go, and the store they are read back from.
//!
//! An application builds its sinks by hand or takes those that its environment names ([`from_env`]), and gives them
//! to `ragtrace::builder()`. [`store`] reads back what a sink wrote into a database.
//!
//! | feature | brings |
//! | --- | --- |
//! | `sqlite` (default) | [`SqliteSink`], and [`store`] over a SQLite file |

mod env;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
pub mod store;
#[cfg(feature = "sqlite")]
mod tables;

pub use env::{ConfigError, from_env, from_lookup};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteSink, Synchronous};
