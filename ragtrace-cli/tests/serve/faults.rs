//! A store that vanishes, comes back, or is in use.

use crate::support::{Make, TRACE, ingestion};
use crate::viewer::{Viewer, holding, until};

#[test]
fn a_store_that_vanishes_is_a_page_that_says_so_and_the_viewer_goes_on() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    assert!(viewer.get("/").expect(200).body.contains(TRACE));
    let away = file.folder.path().join("away.db");
    std::fs::rename(file.path(), &away).expect("renamed");
    for path in ["/", "/stages", "/costs", "/errors", "/scores", "/live", "/live/events"] {
        let answer = viewer.get(path).expect(503);
        assert!(
            answer.body.contains("The store does not answer") && answer.body.contains("ragtrace.db"),
            "{path}: {answer:?}"
        );
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
    let json = viewer.get("/traces.json").expect(503).json();
    assert!(json["detail"].as_str().is_some_and(|detail| detail.contains("ragtrace.db")), "{json}");
    std::fs::rename(&away, file.path()).expect("renamed");
    until("it goes on", || viewer.get("/").status == 200);
    let other = holding([Make::new("completed", "another_stage", 1, 0).with("local_root", true).record()]);
    std::fs::rename(other.path(), file.path()).expect("replaced");
    until("it shows the new file", || viewer.get("/").body.contains("another_stage"));
    std::fs::write(file.path(), "no longer a database, but a text that is longer than a header".repeat(100))
        .expect("written");
    let answer = viewer.get("/");
    assert!(answer.status == 500 || answer.status == 503, "{answer:?}");
}

#[test]
fn a_store_that_another_program_locks_is_read_or_explained() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let script = "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None)\nc.execute('BEGIN EXCLUSIVE')\n\
                  print('locked',flush=True)\nsys.stdin.read()";
    let mut python = std::process::Command::new("python3");
    python.args(["-c", script]).arg(file.path());
    python.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut holder = python.spawn().expect("python3 runs");
    let mut line = [0; 6];
    std::io::Read::read_exact(holder.stdout.as_mut().expect("a pipe"), &mut line).expect("it locks");
    let answer = viewer.get("/");
    assert!(answer.status == 200 || answer.status == 503, "{answer:?}");
    drop(holder.stdin.take());
    assert!(holder.wait().expect("it ends").success());
    until("it is read again", || viewer.get("/").status == 200);
}

#[test]
fn a_password_in_the_url_is_in_no_page() {
    // Nobody listens there: the viewer starts, and its pages say that the database is away.
    let store = "postgres://app:hunter2-secret@127.0.0.1:1/telemetry";
    let viewer = Viewer::of(store, &[]);
    let answer = viewer.get("/").expect(503);
    assert!(!answer.body.contains("hunter2"), "{answer:?}");
    assert!(answer.body.contains("reach"), "{answer:?}");
    viewer.signal("TERM");
    let (_, said) = viewer.wait();
    assert!(!said.contains("hunter2"), "{said}");
}
