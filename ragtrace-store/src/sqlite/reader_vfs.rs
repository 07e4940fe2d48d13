//! A SQLite VFS for readers, which creates and deletes no files.
//!
//! A connection to a database in WAL mode creates `-wal` and `-shm` if they do not exist, even if
//! it only reads. Since such a connection cannot remove them, they stay, with the reader's owner,
//! and from then on lock out a writer that runs as another user. SQLite has no setting against
//! this. The place where it opens files is its VFS (<https://www.sqlite.org/vfs.html>), so this
//! module provides one: it wraps the system's VFS, and opens a log only if it exists, and only for
//! reading.
//!
//! **Why this is sound.** A VFS is a table of functions. This one is a copy of the system's, which
//! SQLite keeps for as long as the program runs, with two entries replaced. `open` passes
//! everything it got to the system's own function, together with the system's own table, which is
//! what that function would have got without the wrapper; `delete` uses none of its arguments. The
//! copy lives for as long as the program, and is not changed once SQLite knows it. The same holds
//! for the table of a file's methods where locks are left out: the replaced methods touch nothing
//! but the place for their answer.
//!
//! **Why not the VFS `unix-none`**, which has no locks either: it closes a file at once, and when a
//! process closes any descriptor of a file, it loses all of its locks on it (`fcntl`, POSIX.1),
//! including those of a sink that writes to the file by then. The VFS with locks knows of them, and
//! closes the file when they are released. So a file is closed by that VFS's method.
#![expect(unsafe_code, reason = "a VFS is a table of C functions; see above")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::{LazyLock, Mutex, PoisonError};

use libsqlite3_sys::{
    SQLITE_CANTOPEN, SQLITE_OK, SQLITE_OPEN_CREATE, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_MAIN_JOURNAL,
    SQLITE_OPEN_READONLY, SQLITE_OPEN_READWRITE, SQLITE_OPEN_WAL, SQLITE_READONLY, sqlite3_file, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

/// The URI parameter of a reader that takes part in SQLite's locks.
pub(super) const LOCKING: &str = "vfs=ragtrace-reader";
/// The URI parameter of a reader that uses no locks. Without `-shm` there is nothing to lock.
pub(super) const UNLOCKED: &str = "vfs=ragtrace-reader-unlocked";

/// Registers both with SQLite, once. Returns `false` if this SQLite has no default VFS to wrap.
pub(super) fn is_registered() -> bool {
    static REGISTERED: LazyLock<bool> =
        LazyLock::new(|| register(c"ragtrace-reader", open) && register(c"ragtrace-reader-unlocked", open_unlocked));
    *REGISTERED
}

/// This VFS, and the system's VFS that it wraps. SQLite sees only the first field.
#[repr(C)]
struct ReaderVfs {
    ours: sqlite3_vfs,
    system: *mut sqlite3_vfs,
}

/// The function of a VFS that opens a file.
type Open = unsafe extern "C" fn(*mut sqlite3_vfs, *const c_char, *mut sqlite3_file, c_int, *mut c_int) -> c_int;

fn register(name: &'static CStr, open: Open) -> bool {
    // SAFETY: a null name asks for the default VFS.
    let system = unsafe { sqlite3_vfs_find(ptr::null()) };
    if system.is_null() {
        return false;
    }
    // SAFETY: SQLite returned the pointer, and never frees a registered VFS. Its fields are numbers
    // and pointers.
    let mut ours = unsafe { *system };
    ours.zName = name.as_ptr();
    ours.pNext = ptr::null_mut();
    ours.xOpen = Some(open);
    ours.xDelete = Some(delete);
    let vfs = Box::leak(Box::new(ReaderVfs { ours, system }));
    // SAFETY: the value is leaked, so it lives as long as SQLite may use it, and its layout begins
    // with the type that SQLite expects.
    unsafe { sqlite3_vfs_register(ptr::from_mut(vfs).cast(), 0) == SQLITE_OK }
}

/// Opens a file. A log is neither created nor opened for writing.
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
    // SAFETY: SQLite passes the registered table, which is the beginning of a `ReaderVfs`.
    let system = unsafe { (*vfs.cast::<ReaderVfs>()).system };
    // SAFETY: as in `register`.
    if let Some(open) = unsafe { (*system).xOpen } {
        // SAFETY: these are SQLite's own arguments except for the flags, of which any combination
        // that opens a log for reading is allowed.
        unsafe { open(system, name, file, flags, out) }
    } else {
        // SAFETY: the file is SQLite's, and has no methods unless it was opened.
        unsafe { (*file).pMethods = ptr::null() };
        SQLITE_CANTOPEN
    }
}

/// Refuses to delete a file: SQLite would delete a log that lies beside an empty file.
unsafe extern "C" fn delete(_: *mut sqlite3_vfs, _: *const c_char, _: c_int) -> c_int {
    SQLITE_READONLY
}

/// Opens a file like [`open`]. SQLite's requests to lock and unlock the database then do nothing.
unsafe extern "C" fn open_unlocked(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: these are SQLite's own arguments.
    let opened = unsafe { open(vfs, name, file, flags, out) };
    if opened == SQLITE_OK && flags & SQLITE_OPEN_MAIN_DB != 0 {
        // SAFETY: the file is open, so it has methods, from a table that is never freed, and
        // nothing else uses it yet.
        unsafe { (*file).pMethods = without_locks((*file).pMethods) };
    }
    opened
}

/// A table of methods without locks, with the address of the table that it was made from. SQLite
/// has a few such tables, which it never frees.
struct WithoutLocks {
    of: usize,
    methods: &'static sqlite3_io_methods,
}

/// Returns a table with the same methods, except those that lock.
///
/// # Safety
///
/// The table has to be SQLite's.
unsafe fn without_locks(of: *const sqlite3_io_methods) -> *const sqlite3_io_methods {
    static KNOWN: Mutex<Vec<WithoutLocks>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(one) = known.iter().find(|one| one.of == of.addr()) {
        return one.methods;
    }
    // SAFETY: the table is SQLite's, which keeps it. Its fields are numbers and pointers.
    let mut methods = unsafe { *of };
    methods.xLock = Some(lock);
    methods.xUnlock = Some(lock);
    methods.xCheckReservedLock = Some(check_reserved_lock);
    let methods: &'static sqlite3_io_methods = Box::leak(Box::new(methods));
    known.push(WithoutLocks { of: of.addr(), methods });
    methods
}

/// Reports success without locking or unlocking.
unsafe extern "C" fn lock(_: *mut sqlite3_file, _: c_int) -> c_int {
    SQLITE_OK
}

/// Reports that no other connection is about to write.
unsafe extern "C" fn check_reserved_lock(_: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite passes a valid place for the answer.
    unsafe { *out = 0 };
    SQLITE_OK
}
