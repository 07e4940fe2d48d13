//! A SQLite that makes no file and deletes none, for readers.
//!
//! A connection to a database in WAL mode makes `-wal` and `-shm` if they are not there, also one
//! that only reads; and since such a connection cannot remove them, they stay, with its owner. A
//! writer of another user is locked out by them from then on. SQLite has no setting against it; the
//! place where files are opened is its VFS (<https://www.sqlite.org/vfs.html>), so this is one: the
//! system's, which opens a log only if it is there, and only to read.
//!
//! **Why this is sound.** A VFS is a table of functions. Ours is a copy of the system's, which
//! SQLite keeps for as long as the program runs, with two entries exchanged. `open` hands everything
//! it got to the system's own function together with the system's own table, which is what that
//! function would have got without us; `delete` looks at nothing. The copy lives for as long as the
//! program, and is not written to once SQLite knows it.
#![expect(unsafe_code, reason = "a VFS is a table of C functions; see above")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::LazyLock;

use libsqlite3_sys::{
    SQLITE_CANTOPEN, SQLITE_OK, SQLITE_OPEN_CREATE, SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_READONLY,
    SQLITE_OPEN_READWRITE, SQLITE_OPEN_WAL, SQLITE_READONLY, sqlite3_file, sqlite3_vfs, sqlite3_vfs_find,
    sqlite3_vfs_register,
};

/// The parameter of a URI by which a reader takes part in SQLite's locks.
pub(super) const LOCKING: &str = "vfs=ragtrace-reader";
/// The parameter of a URI by which a reader goes without any lock: where `-shm` is not there, there
/// is nothing to lock.
pub(super) const UNLOCKED: &str = "vfs=ragtrace-reader-unlocked";

#[cfg(unix)]
const WITHOUT_LOCKS: &CStr = c"unix-none";
#[cfg(not(unix))]
const WITHOUT_LOCKS: &CStr = c"win32-none";

/// Makes both known to SQLite, once. Returns `false` if this SQLite has none to build upon.
pub(super) fn is_registered() -> bool {
    static REGISTERED: LazyLock<bool> = LazyLock::new(|| {
        register(None, c"ragtrace-reader") && register(Some(WITHOUT_LOCKS), c"ragtrace-reader-unlocked")
    });
    *REGISTERED
}

/// Ours, and the system's that it stands before. SQLite sees the first field alone.
#[repr(C)]
struct ReaderVfs {
    ours: sqlite3_vfs,
    system: *mut sqlite3_vfs,
}

fn register(system: Option<&CStr>, name: &'static CStr) -> bool {
    // SAFETY: the name is a C string or null, which stands for the default.
    let system = unsafe { sqlite3_vfs_find(system.map_or(ptr::null(), CStr::as_ptr)) };
    if system.is_null() {
        return false;
    }
    // SAFETY: SQLite gave it, and never frees one that is registered. Its fields are numbers and
    // pointers.
    let mut ours = unsafe { *system };
    ours.zName = name.as_ptr();
    ours.pNext = ptr::null_mut();
    ours.xOpen = Some(open);
    ours.xDelete = Some(delete);
    let vfs = Box::leak(Box::new(ReaderVfs { ours, system }));
    // SAFETY: it is leaked, so it lives as long as SQLite may use it, and its layout begins with
    // what SQLite expects.
    unsafe { sqlite3_vfs_register(ptr::from_mut(vfs).cast(), 0) == SQLITE_OK }
}

/// Opens a file. A log is neither created nor written.
unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    const LOGS: c_int = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    let flags = if flags & LOGS == 0 {
        flags
    } else {
        flags & !(SQLITE_OPEN_CREATE | SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY
    };
    // SAFETY: SQLite calls with the table that was registered, which is the beginning of a
    // `ReaderVfs`.
    let system = unsafe { (*vfs.cast::<ReaderVfs>()).system };
    // SAFETY: as in `register`.
    if let Some(open) = unsafe { (*system).xOpen } {
        // SAFETY: these are SQLite's own arguments, but for the flags, of which every combination
        // is allowed that opens a log to read.
        unsafe { open(system, name, file, flags, out) }
    } else {
        // SAFETY: the file is SQLite's, and has no methods unless it was opened.
        unsafe { (*file).pMethods = ptr::null() };
        SQLITE_CANTOPEN
    }
}

/// Refuses: SQLite would delete a log that lies beside an empty file.
unsafe extern "C" fn delete(_: *mut sqlite3_vfs, _: *const c_char, _: c_int) -> c_int {
    SQLITE_READONLY
}
