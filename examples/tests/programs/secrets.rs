//! Tests that secrets which reach a run of the programs appear nowhere in what its stages leave:
//! not in the store, on the console, in the spool, or in a dead letter.
//!
//! This does not concern the programs' own data: `rag.db` contains the documents as they are, and
//! the programs' messages on standard error name the files that they were given.

use std::path::Path;

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::program::{Ended, Folder};

/// The texts that must not be found, each of which stands for another secret.
const PLANTED: &[&str] = &[
    "planteduser0123456789abcdef",
    "plantedtenant0123456789abcdef",
    "plantedfilename",
    "plantedmissing",
    "plantedurl",
    "plantedkeyfile0123456789abcdef",
    "plantedheading",
    "plantedtext0123456789abcdef",
    "plantedquestion",
    "plantedbearer0123456789abcdef",
    "plantedpath",
    REASON,
];

/// The store's message when it refuses a record.
const REASON: &str = "plantedreason";

const USER: &str = "ghp_planteduser0123456789abcdef";
const TENANT: &str = "sk-proj-plantedtenant0123456789abcdef";

/// Creates documents with secrets in their names and texts, and paths that cannot be read.
fn plant(folder: &Folder) -> Vec<&'static str> {
    folder
        .file("in/password=plantedfilename.md", "# api_key=plantedheading\n\nUse sk-plantedtext0123456789abcdef here.");
    folder.file("in/hf_plantedkeyfile0123456789abcdef.pdf", "%PDF-1.7 and no more");
    folder.file(
        "in/fine.md",
        "# Pump\n\nThe pump is serviced twice a year, with Authorization: Bearer plantedbearer0123456789abcdef.",
    );
    vec!["in", "token=plantedmissing.md", "https://bob:plantedurl@host/x.md"]
}

fn run(folder: &Folder, program: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let who = ["--user", USER, "--tenant", TENANT];
    let mut command = folder.command(program, &[&who[..], arguments].concat());
    command.env("RAGTRACE_CONSOLE", "json").env("RAGTRACE_LOG", "trace").env("RAGTRACE_SPOOL", "spool");
    command.envs(settings.iter().copied());
    Ended::from(command.output().expect("the program runs"))
}

/// Returns what a run shows of its stages: its records and the pipeline's own messages on standard
/// error, and the waterfall.
fn shown(ended: &Ended) -> String {
    let lines = ended.stderr.lines().filter(|line| line.starts_with('{') || line.starts_with("ragtrace: "));
    lines.chain(ended.stdout.lines().filter(|line| line.contains('·') || line.contains('─'))).collect()
}

/// Returns every file in a folder except the documents themselves, as one text.
fn on_disk(folder: &Path) -> String {
    let mut found = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with("rag.db") || name == "in" {
            continue;
        }
        if path.is_dir() {
            found.push_str(&on_disk(&path));
        } else {
            found.push_str(&String::from_utf8_lossy(&std::fs::read(&path).expect("a file")));
        }
    }
    found
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    assert_free_of(PLANTED, what, text);
}

#[track_caller]
fn assert_free_of(secrets: &[&str], what: &str, text: &str) {
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} is in {what}");
    }
}

#[tokio::test]
async fn secrets_of_a_run_are_in_no_store_console_spool_or_dead_letter() {
    let folder = Folder::new();
    let mut arguments = plant(&folder);
    arguments.extend(["--jobs", "1", "--force"]);

    // Delivered and shown.
    let ingested = run(&folder, "ingest", &arguments, &[]);
    assert_eq!(ingested.code, Some(1), "some cannot be read: {}", ingested.stderr);
    assert_clean("what ingest shows", &shown(&ingested));
    // The secret is half of the question, and no document answers that half.
    let question =
        ["--log-question", "--waterfall", "--min-score", "0.1", "pump", "serviced?", "password=plantedquestion"];
    let asked = run(&folder, "ask", &question, &[]);
    assert_eq!(asked.code, Some(0), "{}", asked.stderr);
    assert_clean("what ask shows", &shown(&asked));
    let records = shown(&ingested) + &shown(&asked);
    for kept in ["[redacted]", "file_parsing_failed", "\"query\":\"pump serviced?"] {
        assert!(records.contains(kept), "{kept} is not in {records}");
    }

    // Spooled, since the sink has no place to write to.
    let spooled = run(&folder, "ingest", &arguments, &[("RAGTRACE_SQLITE_PATH", "password=plantedpath/ragtrace.db")]);
    assert!(spooled.stderr.contains("ragtrace: sink sqlite is parked"), "{}", spooled.stderr);
    assert_clean("what a run with a parked sink shows", &shown(&spooled));
    let spool = on_disk(&folder.path("spool"));
    assert!(spool.contains("file_parsing"), "there is something in the spool");
    assert_clean("the spool", &spool);

    // Refused for good, and so a dead letter, with a reason that repeats a secret.
    let options = SqliteConnectOptions::new().filename(folder.path("ragtrace.db"));
    let mut database = SqliteConnection::connect_with(&options).await.expect("the run left a store");
    let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON logs WHEN NEW.stage = 'document_chunking' \
                   BEGIN SELECT RAISE(ABORT, 'token=plantedreason'); END";
    sqlx::query(trigger).execute(&mut database).await.expect("a trigger");
    drop(database);
    let refused = run(&folder, "ingest", &arguments, &[]);
    assert_clean("what a run with a refusing store shows", &shown(&refused));
    let letters = std::fs::read_to_string(folder.path("spool/dead-letters.jsonl")).expect("there are dead letters");
    assert!(letters.contains("document_chunking") && letters.contains("SQLite refuses the data"), "{letters}");
    assert_clean("the spool and its dead letters", &on_disk(&folder.path("spool")));
    // The store has the words of its trigger.
    let (last, others) = PLANTED.split_last().expect("some are planted");
    assert_eq!(*last, REASON);
    let all = on_disk(&folder.path(""));
    assert_free_of(others, "what is on disk", &all);
    assert!(all.contains("[redacted]"));
}
