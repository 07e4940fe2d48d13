//! The PostgreSQL sink through faults, and what roles may see.

#[expect(dead_code, reason = "shared, and others use more of it")]
#[path = "../../tests/support/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "shared with the tests of both stores, which use more of it")]
mod support;

mod postgres {
    mod bad_data;
    mod chaos;
    mod proxy;
    mod reading;
    mod roles;
    mod server;
}
