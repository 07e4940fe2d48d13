//! The PostgreSQL sink during faults, and the permissions of roles.
//!
//! The tests need Unix: a shell supervises their servers, and signals end them.

#![cfg(unix)]

#[path = "../../tests/support/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "shared with the tests of both stores, which use more of it")]
mod support;

mod postgres {
    mod bad_data;
    mod chaos;
    mod dashboard;
    mod disk;
    mod faults;
    mod missing;
    mod names;
    mod pgbouncer;
    mod pipeline;
    mod pooler;
    mod proxy;
    mod reading;
    mod retention;
    mod roles;
    mod server;
}
