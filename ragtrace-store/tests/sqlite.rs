//! The SQLite sink and the store, through their public surface.

#[expect(dead_code, reason = "shared with the tests of both stores, which use more of it")]
mod support;
#[cfg(target_os = "linux")]
#[path = "support/other_user.rs"]
mod other_user;

mod sqlite {
    mod faults;
    mod erasure;
    mod paths;
    mod rotation;
    mod tracing;
    mod users;
    mod waterfall;
    mod writing;
}
