//! The messages that a stranger reads when something is wrong, to the letter.

use std::net::TcpListener;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::run::{run, stderr};
use crate::fixture::{ANSWER, Fixture, trace_id};
use crate::support::File;

/// Returns what a command that fails says, without the name of the program.
fn failure(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let told = stderr(&output);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &[][..]), "{arguments:?}: {told}");
    let told = told.strip_prefix("ragtrace: ").unwrap_or(&told);
    told.trim_end().to_owned()
}

/// Returns what the argument parser says about a value, on one line and without the usage.
fn bad_value(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let told = failure(folder.path(), arguments);
    told.lines().take_while(|line| !line.is_empty()).collect()
}

fn execute(file: &File, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = SqliteConnection::connect(&file.url()).await.expect("a database");
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("a statement");
        connection.close().await.expect("closed");
    });
}

fn migrated() -> File {
    let file = File::new();
    assert_eq!(run(file.folder.path(), &["migrate"]).status.code(), Some(0));
    file
}

#[test]
fn a_store_that_is_not_there_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(
        failure(folder.path(), &["trace", "last"]),
        "there is no file `ragtrace.db`: run your program with a SQLite sink first, or give the path it writes to"
    );
    assert_eq!(
        failure(folder.path(), &["traces", "--store", "sqlite:no/such/folder/r.db"]),
        "there is no file `no/such/folder/r.db`: run your program with a SQLite sink first, or give the path it writes to"
    );
    std::fs::create_dir(folder.path().join("a-folder")).expect("made");
    assert_eq!(
        failure(folder.path(), &["traces", "--store", "sqlite:a-folder"]),
        "`a-folder` is a folder: give the path of a file: (code: 266) disk I/O error"
    );
}

#[test]
fn a_url_of_another_kind_is_refused_with_the_kinds_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    for (url, expected) in [
        (
            "mysql://root@localhost/x",
            "no store has URLs that begin with `mysql:`: write `sqlite:` and a path, or `postgres://user@host/database`",
        ),
        (
            "ragtrace.db",
            "the URL of the store has no scheme: write `sqlite:` and a path, or `postgres://user@host/database`",
        ),
        ("sqlite:", "\"sqlite:\" names no file: write `sqlite:` and a path"),
        (
            "https://example.com/ragtrace.db",
            "no store has URLs that begin with `https:`: write `sqlite:` and a path, or `postgres://user@host/database`",
        ),
    ] {
        assert_eq!(failure(folder.path(), &["trace", "last", "--store", url]), expected, "{url}");
    }
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("ragtrace.db"),
        "these are my notes, not a database, and longer than a page header".repeat(4),
    )
    .expect("written");
    assert_eq!(
        failure(folder.path(), &["trace", "last"]),
        "`ragtrace.db` is not a SQLite database, or is encrypted: give another path, or move that file away: (code: 26) file is not a database"
    );
    let other = File::new();
    std::fs::write(other.path(), "").expect("written");
    assert_eq!(
        failure(other.folder.path(), &["trace", "last"]),
        "`ragtrace.db` is a SQLite database without ragtrace's tables: give the path your program writes to"
    );
    execute(&other, "CREATE TABLE customers (id INTEGER)");
    assert_eq!(
        failure(other.folder.path(), &["trace", "last"]),
        "`ragtrace.db` is a SQLite database without ragtrace's tables: give the path your program writes to"
    );
}

#[test]
fn a_store_of_another_version_says_which_side_to_upgrade() {
    let older = migrated();
    execute(&older, "DELETE FROM ragtrace_migrations WHERE version = (SELECT max(version) FROM ragtrace_migrations)");
    assert_eq!(
        failure(older.folder.path(), &["trace", "last"]),
        "`ragtrace.db` was made by an older version of ragtrace: run `ragtrace migrate`, or write to it once with this version"
    );
    let newer = migrated();
    execute(
        &newer,
        "INSERT INTO ragtrace_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', true, x'00', 0)",
    );
    assert_eq!(
        failure(newer.folder.path(), &["trace", "last"]),
        "`ragtrace.db` was made by a newer version of ragtrace: upgrade this program, or have it use another place"
    );
}

#[test]
fn a_server_that_cannot_be_reached_is_reported_within_seconds_and_without_its_password() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("postgres://reader:hunter2secret@127.0.0.1:{port}/telemetry");
    let told = failure(folder.path(), &["traces", "--store", &url]);
    assert!(!told.contains("hunter2secret"), "{told}");
    // How the system words it differs.
    let expected = "the database cannot be reached: check the URL, and that the server is running: ";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn a_bad_value_of_a_filter_is_answered_with_the_good_ones() {
    for (arguments, expected) in [
        (
            &["traces", "--since", "yesterday"][..],
            "error: invalid value 'yesterday' for '--since <WHEN>': give an age such as 30s, 90m, 24h, 7d or 2w, or a time \
            such as 2026-11-22T08:20:11Z or 2026-11-22",
        ),
        (
            &["traces", "--until", "24"],
            "error: invalid value '24' for '--until <WHEN>': give an age such as 30s, 90m, 24h, 7d or 2w, or a time such as 2026-11-22T08:20:11Z or 2026-11-22",
        ),
        (
            &["traces", "--status", "broken"],
            "error: invalid value 'broken' for '--status <STATUS>'  [possible values: completed, failed, cancelled]",
        ),
        (
            &["traces", "--limit", "0"],
            "error: invalid value '0' for '--limit <NUMBER>': give a whole number from 1 to 1000000000",
        ),
        (
            &["traces", "--after", "here"],
            "error: invalid value 'here' for '--after <POSITION>': expected a position as printed by the previous page, found \"here\"",
        ),
        (
            &["logs", "--level", "loud"],
            "error: invalid value 'loud' for '--level <LEVEL>': expected a level (trace, debug, info, warn or error), found \"loud\"",
        ),
        (
            &["logs", "--format", "yaml"],
            "error: invalid value 'yaml' for '--format <FORMAT>'  [possible values: table, json, jsonl]",
        ),
        (
            &["tail", "--lines", "some"],
            "error: invalid value 'some' for '--lines <NUMBER>': give a whole number from 0 to 1000000000",
        ),
        (
            &["retention", "--sample", "10%"],
            "error: invalid value '10%' for '--sample <RATIO>': give a number between 0 and 1",
        ),
        (
            &["trace", "last", "--width", "20"],
            "error: invalid value '20' for '--width <COLUMNS>': give a whole number from 40 to 10000",
        ),
        (
            &["trace", "last", "--color", "sometimes"],
            "error: invalid value 'sometimes' for '--color <WHEN>'  [possible values: auto, always, never]",
        ),
    ] {
        assert_eq!(bad_value(arguments), expected, "{arguments:?}");
    }
    let file = migrated();
    let window = ["logs", "--since", "2026-11-22", "--until", "2026-11-21"];
    assert_eq!(
        failure(file.folder.path(), &window),
        "`--since` (2026-11-22T00:00:00.000000Z) must be before `--until` (2026-11-21T00:00:00.000000Z)"
    );
}

#[test]
fn a_trace_that_cannot_be_found_says_how_to_name_one() {
    let fixture = Fixture::new();
    let folder = fixture.file.folder.path();
    let nothing = |arguments: &[&str]| {
        let output = run(folder, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        stderr(&output)
    };
    let missing = "0199a1c2-0000-0000-0000-000000000000";
    assert_eq!(nothing(&["trace", missing]), format!("ragtrace: there is no trace {missing}\n"));
    assert_eq!(nothing(&["trace", "fff"]), "ragtrace: no trace id begins with fff\n");
    assert_eq!(
        failure(folder, &["trace", "the-last-one"]),
        "\"the-last-one\" is not a trace id: give a UUID, 32 hex digits, the first digits of either, `last`, or `last~1`"
    );
    assert_eq!(
        failure(folder, &["trace", "last~x"]),
        "\"last~x\" is not a trace: write `last~1` for the one before the newest"
    );
    assert_eq!(
        failure(folder, &["trace", "0199a1c2"]),
        "0199a1c2 matches several traces, so give more digits: 0199a1c2-7b1e-7a54-9c01-000100000000, \
        0199a1c2-7b1e-7a54-9c01-000200000000, 0199a1c2-7b1e-7a54-9c01-000300000000, 0199a1c2-7b1e-7a54-9c01-000400000000, \
        0199a1c2-7b1e-7a54-9c01-000500000000 and more"
    );
    assert_eq!(
        failure(folder, &["trace", &trace_id(ANSWER).to_string(), "--span", "00000002"]),
        "00000002 matches several spans, so give an id: 0000000200000001 (question completed in 1.62s), 0000000200000002 \
        (query_embedding completed in 18.0ms), 0000000200000003 (retrieval completed in 404ms), 0000000200000004 \
        (reranking completed in 135ms), 0000000200000005 (generation completed in 1.05s)"
    );
}
