//! The application's `tracing`: its events become records, its spans carry contexts (`layer`), and stages are spans for other
//! layers (`mirror`).

mod mirror;
