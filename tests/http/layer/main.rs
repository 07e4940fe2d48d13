//! The layer for HTTP services, over real connections: what each request records, whatever becomes
//! of it.

mod answers;
mod bodies;
mod concurrency;
mod connections;
mod fields;
mod grpc;
mod identity;
mod panics;
mod routes;
mod services;
mod settings;
mod upgrades;
