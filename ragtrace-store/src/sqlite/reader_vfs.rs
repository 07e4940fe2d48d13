//! A SQLite that makes no file and deletes none, for readers.
//!
//! A connection to a database in WAL mode makes `-wal` and `-shm` if they are not there, also one
//! that only reads; and since such a connection cannot remove them, they stay, with its owner. A
//! writer of another user is locked out by them from then on. SQLite has no setting against it; the
//! place where files are opened is its VFS (<https://www.sqlite.org/vfs.html>), so this is one: the
//! system's, which opens a log only if it is there, and only to read.
//!
//! **Why this is sound.** A VFS is a table of functions. Ours is a copy of the system's, which
//! SQLite keeps for as long as the program runs, with two entries exchanged. `open` hands
//! everything it got to the system's own function together with the system's own table, which is
//! what that function would have got without us; `delete` looks at nothing. The copy lives for as
//! long as the program, and is not written to once SQLite knows it. The same holds for the table of
//! a file's methods where locks are left out: those that are exchanged look at nothing but where
//! their answer goes.
//!
//! **Why not the VFS `unix-none`**, which has no locks either: it closes a file at once, and a
//! process that closes any descriptor of a file gives up all its locks on it (`fcntl`, POSIX.1),
//! those of a sink included that writes to the file by then. The one with locks knows of them, and
//! closes when they are gone; so a file is closed by that one's method.
#![expect(unsafe_code, reason = "a VFS is a table of C functions; see above")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::{LazyLock, Mutex, PoisonError};

use libsqlite3_sys::{
    SQLITE_CANTOPEN, SQLITE_OK, SQLITE_OPEN_CREATE, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_MAIN_JOURNAL,
    SQLITE_OPEN_READONLY, SQLITE_OPEN_READWRITE, SQLITE_OPEN_WAL, SQLITE_READONLY, sqlite3_file, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

/// The parameter of a URI by which a reader takes part in SQLite's locks.
pub(super) const LOCKING: &str = "vfs=ragtrace-reader";
/// The parameter of a URI by which a reader goes without any lock: where `-shm` is not there, there
/// is nothing to lock.
pub(super) const UNLOCKED: &str = "vfs=ragtrace-reader-unlocked";

/// Makes both known to SQLite, once. Returns `false` if this SQLite has none to build upon.
pub(super) fn is_registered() -> bool {
    static REGISTERED: LazyLock<bool> =
        LazyLock::new(|| register(c"ragtrace-reader", open) && register(c"ragtrace-reader-unlocked", open_unlocked));
    *REGISTERED
}

/// Ours, and the system's that it stands before. SQLite sees the first field alone.
#[repr(C)]
struct ReaderVfs {
    ours: sqlite3_vfs,
    system: *mut sqlite3_vfs,
}

/// The entry of a VFS that opens a file.
type Open = unsafe extern "C" fn(*mut sqlite3_vfs, *const c_char, *mut sqlite3_file, c_int, *mut c_int) -> c_int;

fn register(name: &'static CStr, open: Open) -> bool {
    // SAFETY: null stands for the default.
    let system = unsafe { sqlite3_vfs_find(ptr::null()) };
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

/// Opens a file like [`open`]. The database is neither locked nor unlocked, whatever SQLite asks.
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
        // SAFETY: the file is open, so it has methods, of a table that is never freed; and nobody
        // else knows of it yet.
        unsafe { (*file).pMethods = without_locks((*file).pMethods) };
    }
    opened
}

/// A table of methods, by the address of the one that it is made from. SQLite has a few, which it
/// never frees.
struct WithoutLocks {
    of: usize,
    methods: &'static sqlite3_io_methods,
}

/// Returns a table with the same methods, but for those that lock.
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
    // SAFETY: it is SQLite's, which keeps it. Its fields are numbers and pointers.
    let mut methods = unsafe { *of };
    methods.xLock = Some(lock);
    methods.xUnlock = Some(lock);
    methods.xCheckReservedLock = Some(check_reserved_lock);
    let methods: &'static sqlite3_io_methods = Box::leak(Box::new(methods));
    known.push(WithoutLocks { of: of.addr(), methods });
    methods
}

/// Says that a file is locked, or is not any more.
unsafe extern "C" fn lock(_: *mut sqlite3_file, _: c_int) -> c_int {
    SQLITE_OK
}

/// Says that nobody else is about to write.
unsafe extern "C" fn check_reserved_lock(_: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *out = 0 };
    SQLITE_OK
}
