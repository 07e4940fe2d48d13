//! Where ragtrace's records go, and the store they are read back from.
//!
//! An application builds its sinks by hand or takes those that its environment names ([`from_env`]), and gives them
//! to `ragtrace::builder()`. [`store`] reads back what a sink wrote into a database.
//!
//! | feature | brings |
//! | --- | --- |
//! | `sqlite` (default) | [`SqliteSink`], and [`store`] over a SQLite file |
//! | `postgres` | [`PostgresSink`], and [`store`] over a PostgreSQL database |

mod env;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod object;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub mod retention;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub mod store;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod tables;

pub use env::{ConfigError, from_env, from_lookup};
#[cfg(feature = "postgres")]
pub use postgres::PostgresSink;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteSink, Synchronous};
