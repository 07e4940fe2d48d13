//! The SQLite sink and the store, through their public surface.

#[expect(dead_code, reason = "shared with the tests of both stores, which use more of it")]
mod support;

mod sqlite {
    mod faults;
    mod tracing;
    mod waterfall;
    mod writing;
}
