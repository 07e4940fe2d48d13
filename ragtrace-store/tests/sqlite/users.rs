//! Readers and writers of several users, and folders in which a reader may change nothing.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use ragtrace::Sink;
use ragtrace_store::{self as store, LogFilter, SqliteSink};

use crate::other_user::{NOBODY, Part, am_root, answer, orders, part};
use crate::support::{File, batch, ingestion, reason};

const WRITER: u32 = 2001;
const READER: u32 = 2002;

/// Plays a part: a writer writes eight rows per order, and a reader returns the number of rows.
async fn play(part: &str, path: &Path) {
    let url = format!("sqlite:{}", path.display());
    match part {
        "write" => {
            let sink = SqliteSink::new(path);
            for _ in orders() {
                answer(match sink.deliver(&batch(ingestion())).await {
                    Ok(_) => "written".to_owned(),
                    Err(error) => reason(&error),
                });
            }
            sink.close().await;
        }
        "read" => answer(match store::open(&url).await {
            Ok(store) => rows(&store).await.to_string(),
            Err(error) => reason(&error),
        }),
        "follow" => {
            let store = store::open(&url).await.expect("opens");
            answer(rows(&store).await);
            for _ in orders() {
                answer(rows(&store).await);
            }
        }
        other => panic!("no part {other}"),
    }
}

async fn rows(store: &store::LogStore) -> usize {
    store.logs(LogFilter::new().limit(usize::MAX)).await.expect("reads").len()
}

/// Returns the names in a folder, and their owners.
fn listing(file: &File) -> BTreeMap<String, (u32, u32)> {
    let entries = std::fs::read_dir(file.folder.path()).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| {
            let metadata = entry.metadata().expect("is there");
            (entry.file_name().into_string().expect("UTF-8"), (metadata.uid(), metadata.mode()))
        })
        .collect()
}

fn folder_for_everybody(mode: u32, owner: u32) -> File {
    let file = File::new();
    std::fs::set_permissions(file.folder.path(), std::fs::Permissions::from_mode(mode)).expect("set");
    if am_root() {
        chown(file.folder.path(), Some(owner), Some(owner)).expect("given away");
    }
    file
}

/// Lets everybody read the file, whatever the umask of its creator.
fn let_everybody_read(file: &File) {
    for name in listing(file).keys() {
        let path = file.folder.path().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("set");
    }
}

/// Returns what a reader with this user id sees, and checks that it changes nothing.
fn read_as(user: u32, test: &str, file: &File) -> String {
    let before = listing(file);
    let mut reader = Part::start(test, "read", user, &file.path());
    let seen = reader.answer();
    reader.end();
    assert_eq!(listing(file), before, "user {user}");
    seen
}

#[tokio::test]
async fn a_reader_of_another_user_locks_no_writer_out() {
    const TEST: &str = "sqlite::users::a_reader_of_another_user_locks_no_writer_out";
    if let Some((part, path)) = part() {
        return play(&part, &path).await;
    }
    if !am_root() {
        eprintln!("not tested: takes root, who may become other users");
        return;
    }
    // Both users may create files in the folder.
    let file = folder_for_everybody(0o777, WRITER);
    let mut written = 0;
    for round in 0..3 {
        let mut writer = Part::start(TEST, "write", WRITER, &file.path());
        assert_eq!(writer.order("write"), "written", "round {round}");
        written += 8;
        let_everybody_read(&file);
        // While the writer lives, after it was killed, and after it closed the file.
        for user in [READER, WRITER, 0] {
            assert_eq!(read_as(user, TEST, &file), written.to_string(), "beside a writer");
        }
        assert_eq!(writer.order("write"), "written", "round {round}");
        written += 8;
        writer.kill();
        for user in [READER, WRITER, 0] {
            assert_eq!(read_as(user, TEST, &file), written.to_string(), "after a crash");
        }
        let mut writer = Part::start(TEST, "write", WRITER, &file.path());
        assert_eq!(writer.order("write"), "written", "round {round}");
        written += 8;
        writer.end();
        assert_eq!(listing(&file).len(), 1, "{:?}", listing(&file));
        for user in [READER, WRITER, 0] {
            assert_eq!(read_as(user, TEST, &file), written.to_string(), "after the end");
        }
    }
}

#[tokio::test]
async fn a_reader_that_stays_sees_writers_come_and_go() {
    const TEST: &str = "sqlite::users::a_reader_that_stays_sees_writers_come_and_go";
    if let Some((part, path)) = part() {
        return play(&part, &path).await;
    }
    let file = folder_for_everybody(0o777, WRITER);
    let mut writer = Part::start(TEST, "write", WRITER, &file.path());
    writer.order("write");
    writer.end();
    let_everybody_read(&file);
    let mut reader = Part::start(TEST, "follow", READER, &file.path());
    assert_eq!(reader.answer(), "8");
    for round in 1..4 {
        let mut writer = Part::start(TEST, "write", WRITER, &file.path());
        assert_eq!(writer.order("write"), "written");
        assert_eq!(reader.order("read"), (round * 16).to_string());
        assert_eq!(writer.order("write"), "written");
        assert_eq!(reader.order("read"), (round * 16 + 8).to_string());
        writer.end();
        assert_eq!(reader.order("read"), (round * 16 + 8).to_string());
    }
    reader.end();
    if am_root() {
        assert!(listing(&file).values().all(|(owner, _)| *owner == WRITER), "{:?}", listing(&file));
    }
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_is_read_whole() {
    const TEST: &str = "sqlite::users::a_folder_that_may_not_be_written_is_read_whole";
    if let Some((part, path)) = part() {
        return play(&part, &path).await;
    }
    let file = folder_for_everybody(0o755, WRITER);
    let read_only = |is: bool| {
        // Without root, the reader runs as the user who wrote.
        let mode = if is { 0o555 } else { 0o755 };
        std::fs::set_permissions(file.folder.path(), std::fs::Permissions::from_mode(mode)).expect("set");
    };
    let mut writer = Part::start(TEST, "write", WRITER, &file.path());
    assert_eq!(writer.order("write"), "written");
    let_everybody_read(&file);
    read_only(true);
    assert_eq!(read_as(NOBODY, TEST, &file), "8", "beside a writer, from its log");
    assert_eq!(writer.order("write"), "written");
    assert_eq!(read_as(NOBODY, TEST, &file), "16", "beside a writer, from its log");
    writer.kill();
    assert_eq!(read_as(NOBODY, TEST, &file), "16", "after a crash");
    read_only(false);
    std::fs::remove_file(file.path().with_extension("db-shm")).expect("removed");
    read_only(true);
    assert_eq!(read_as(NOBODY, TEST, &file), "16", "a file and its log alone, as a backup may have them");
    read_only(false);
    let mut writer = Part::start(TEST, "write", WRITER, &file.path());
    assert_eq!(writer.order("write"), "written");
    writer.end();
    read_only(true);
    assert_eq!(read_as(NOBODY, TEST, &file), "24", "after the end");
    read_only(false);
}

#[tokio::test]
async fn what_may_not_be_read_is_told_as_that() {
    const TEST: &str = "sqlite::users::what_may_not_be_read_is_told_as_that";
    if let Some((part, path)) = part() {
        return play(&part, &path).await;
    }
    let file = folder_for_everybody(0o755, WRITER);
    let mut writer = Part::start(TEST, "write", WRITER, &file.path());
    assert_eq!(writer.order("write"), "written");
    let_everybody_read(&file);
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    };
    let read = || read_as(NOBODY, TEST, &file);
    set(&file.path(), 0);
    let seen = read();
    assert!(seen.contains("cannot be read: check the permissions of the file"), "{seen}");
    assert!(!seen.contains("written"), "{seen}");
    set(&file.path(), 0o644);
    let log = file.path().with_extension("db-wal");
    set(&log, 0);
    let seen = read();
    assert!(seen.contains("ragtrace.db-wal` holds the newest rows"), "{seen}");
    set(&log, 0o644);
    assert_eq!(read(), "8");
    set(file.folder.path(), 0);
    let mut reader = Part::start(TEST, "read", NOBODY, &file.path());
    let seen = reader.answer();
    assert!(seen.contains("cannot be reached: check the permissions of the folders"), "{seen}");
    reader.end();
    set(file.folder.path(), 0o755);
    writer.end();
}

#[tokio::test]
async fn a_writer_that_is_locked_out_names_the_file_that_does_it() {
    const TEST: &str = "sqlite::users::a_writer_that_is_locked_out_names_the_file_that_does_it";
    if let Some((part, path)) = part() {
        return play(&part, &path).await;
    }
    if !am_root() {
        eprintln!("not tested: takes root, who may become other users");
        return;
    }
    let file = folder_for_everybody(0o777, WRITER);
    let mut writer = Part::start(TEST, "write", WRITER, &file.path());
    assert_eq!(writer.order("write"), "written");
    writer.end();
    // Another program of another user may leave such companions.
    for companion in ["db-wal", "db-shm"] {
        std::fs::write(file.path().with_extension(companion), "").expect("made");
    }
    let mut writer = Part::start(TEST, "write", WRITER, &file.path());
    let said = writer.order("write");
    assert!(said.contains("ragtrace.db-wal` belongs to another user"), "{said}");
    for companion in ["db-wal", "db-shm"] {
        std::fs::remove_file(file.path().with_extension(companion)).expect("removed");
    }
    assert_eq!(writer.order("write"), "written");
    writer.end();
}
