//! Loads `sqlite-vec`, which is compiled into the program, into the connections that need it.
//!
//! It is not registered for the whole process (`sqlite3_auto_extension`), so other databases of the
//! process, such as the stage logs, are not affected.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use sqlx::sqlite::SqliteConnection;

/// The signature of an extension's entry point in `SQLite` ("Run-Time Loadable Extensions", section
/// 4.1).
type EntryPoint = unsafe extern "C" fn(*mut c_void, *mut *mut c_char, *const c_void) -> c_int;

/// `SQLITE_OK` ("Result and Error Codes").
const OK: c_int = 0;

/// Adds the functions of `sqlite-vec` to `connection`.
pub(crate) async fn load(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut handle = connection.lock_handle().await?;
    let database: *mut c_void = handle.as_raw_handle().as_ptr().cast();
    let mut message: *mut c_char = ptr::null_mut();
    #[expect(unsafe_code, reason = "sqlx has no safe way to load an extension that is linked into the program")]
    // SAFETY: the crate declares the function without its arguments, but defines it with the type
    // above. The handle is locked, so nothing else uses the connection. `message` outlives the
    // call, which may store a string there; the string is leaked, since the connection is then
    // given up. The extension is built for static linking (`SQLITE_CORE`) and therefore ignores the
    // table of routines.
    let code = unsafe {
        let entry_point: EntryPoint = std::mem::transmute(sqlite_vec::sqlite3_vec_init as *const ());
        entry_point(database, &raw mut message, ptr::null())
    };
    if code == OK {
        Ok(())
    } else {
        Err(sqlx::Error::Configuration(format!("sqlite-vec did not load (SQLite result code {code})").into()))
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;

    #[tokio::test]
    async fn the_extension_is_only_where_it_was_loaded() {
        let mut connections = Vec::new();
        for _ in 0..2 {
            connections.push(SqliteConnection::connect("sqlite::memory:").await.expect("a database"));
        }
        load(&mut connections[0]).await.expect("loaded");
        let [with, without] = connections.get_disjoint_mut([0, 1]).expect("two connections");
        let version: String = sqlx::query_scalar("SELECT vec_version()").fetch_one(with).await.expect("a version");
        assert!(version.starts_with('v'));
        assert!(sqlx::query("SELECT vec_version()").execute(without).await.is_err());
    }
}
