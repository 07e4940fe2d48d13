//! The layer for HTTP services, over real connections: the records of each request, however it
//! ends.

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
