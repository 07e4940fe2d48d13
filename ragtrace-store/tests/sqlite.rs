//! The SQLite sink and the store, through their public surface.

#[cfg(target_os = "linux")]
#[path = "support/other_user.rs"]
mod other_user;
mod support;

mod sqlite {
    mod critical_path;
    mod diff;
    mod erasure;
    mod faults;
    mod paths;
    mod rotation;
    mod sharing;
    mod tracing;
    mod users;
    mod waterfall;
    mod writing;
}
