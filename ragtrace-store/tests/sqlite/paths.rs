//! The file that a path leads to.

use std::path::{Path, PathBuf};

use ragtrace::Sink;
use ragtrace::sink::Verdict;
use ragtrace_store::{self as store, LogFilter, SqliteSink};

use crate::support::{File, batch, ingestion, reason};

async fn rows(path: &Path) -> usize {
    let store = store::open(&format!("sqlite:{}", path.display())).await.expect("opens");
    store.logs(LogFilter::new()).await.expect("reads").len()
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_leads_to_the_file_and_to_its_log() {
    use std::os::unix::fs::symlink;
    let file = File::new();
    let folder = file.folder.path();
    std::fs::create_dir(folder.join("real")).expect("made");
    std::fs::create_dir(folder.join("links")).expect("made");
    let real = folder.join("real/ragtrace.db");
    let link = |target: &str, name: &str| -> PathBuf {
        let link = folder.join(name);
        symlink(target, &link).expect("linked");
        link
    };
    let links = [
        link("../real/ragtrace.db", "links/relative.db"),
        link("links/relative.db", "chain.db"),
        link(real.to_str().expect("UTF-8"), "absolute.db"),
        link("real", "folder").join("ragtrace.db"),
        folder.join("links/../folder/ragtrace.db"),
    ];
    // The link leads to nothing yet: the first batch creates the file.
    let writer = SqliteSink::new(&links[1]);
    writer.deliver(&batch(ingestion())).await.expect("delivered");
    assert!(real.is_file(), "made where the link leads");
    for (written, link) in (1..).zip(&links) {
        // The rows are in the log, which is beside the file and not beside the link.
        assert_eq!(rows(link).await, written * 8, "{}", link.display());
        let other = SqliteSink::new(link);
        other.deliver(&batch(ingestion())).await.expect("delivered");
        assert_eq!(rows(&real).await, written * 8 + 8, "{}", link.display());
        other.close().await;
    }
    writer.close().await;
    let beside = std::fs::read_dir(folder.join("links")).expect("a folder").count();
    assert_eq!(beside, 1, "nothing is made beside a link");
}

#[tokio::test]
async fn any_name_of_a_file_is_that_file() {
    let file = File::new();
    let names = ["a b.db", "50%41.db", "a?mode=memory.db", "a#b.db", "ä—€.db", "file:here", "'quoted\".db", ":memory:"];
    for name in names {
        let path = file.folder.path().join(name);
        let sink = SqliteSink::new(&path);
        for written in 1..3 {
            sink.deliver(&batch(ingestion())).await.expect(name);
            assert_eq!(rows(&path).await, written * 8, "{name}");
        }
        sink.close().await;
        assert!(path.is_file(), "{name}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_name_that_is_no_text_is_a_name() {
    use std::os::unix::ffi::OsStrExt;
    let file = File::new();
    let path = file.folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.db"));
    let sink = SqliteSink::new(&path);
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    sink.close().await;
    assert!(path.is_file());
}

#[tokio::test]
async fn what_would_keep_nothing_is_refused() {
    let mut paths = vec!["", ":memory:", "file::memory:?cache=shared", "file:x?mode=memory", "sqlite::memory:"];
    if cfg!(unix) {
        paths.push("/dev/null");
    }
    for path in paths {
        let sink = SqliteSink::new(path);
        let error = sink.deliver(&batch(ingestion())).await.expect_err(path);
        assert_eq!(error.verdict(), Verdict::Park, "{path}");
        assert!(error.to_string().contains("give the path of a file"), "{path}: {}", reason(&error));
        assert_eq!(sink.check().await.expect_err(path).verdict(), Verdict::Park, "{path}");
        if path.is_empty() {
            continue;
        }
        let url = format!("sqlite:{path}");
        assert!(store::migrate(&url).await.expect_err(path).is_bad_url(), "{path}");
        assert!(store::open(&url).await.expect_err(path).is_bad_url(), "{path}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_in_a_circle_are_told() {
    let file = File::new();
    std::os::unix::fs::symlink("ragtrace.db", file.path()).expect("linked");
    let error = file.sink().deliver(&batch(ingestion())).await.expect_err("leads nowhere");
    assert_eq!(error.verdict(), Verdict::Park);
    assert!(reason(&error).contains("cannot be reached: give another path"), "{}", reason(&error));
}
