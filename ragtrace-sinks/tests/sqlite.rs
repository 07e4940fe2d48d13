//! The SQLite sink and the store, through their public surface.

mod support;

mod sqlite {
    mod faults;
    mod reading;
    mod tracing;
    mod waterfall;
    mod writing;
}
