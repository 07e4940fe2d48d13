//! The SQLite sink and the store, through their public surface.

mod support;

mod sqlite {
    mod faults;
    mod tracing;
    mod waterfall;
    mod writing;
}
