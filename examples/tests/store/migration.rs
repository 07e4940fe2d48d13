//! Databases of earlier and later versions.

use ragtrace_examples::embed::HashingEmbedder;
use ragtrace_examples::store::{Store, StoreError};
use sqlx::SqliteConnection;

use crate::{connection, document, embedded};

/// The tables of the first version, with a document of two chunks.
const VERSION_1: &str = "
    CREATE TABLE settings (model TEXT NOT NULL, dimensions INTEGER NOT NULL);
    CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        path TEXT NOT NULL,
        name TEXT NOT NULL,
        format TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        pages INTEGER NOT NULL,
        stored_at INTEGER NOT NULL DEFAULT (unixepoch()),
        UNIQUE (tenant, path)
    );
    CREATE TABLE chunks (
        document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        headings TEXT NOT NULL,
        page INTEGER,
        language TEXT,
        keywords TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        vector BLOB NOT NULL,
        PRIMARY KEY (document_id, position)
    );
    INSERT INTO settings VALUES ('feature-hashing-v1-2', 2);
    INSERT INTO documents VALUES (7, 'acme', '/a.md', 'a.md', 'markdown', 99, 1, 1700000000);
    INSERT INTO chunks VALUES
        (7, 0, 'The café opens.', '[\"Guide\"]', 3, 'en', '[\"opens\"]', 4, x'0000803f00000000'),
        (7, 1, 'It closes.', '[]', NULL, NULL, '[]', 3, x'000000000000803f');
    PRAGMA application_id = 1920230776;
";

async fn search(connection: &mut SqliteConnection, words: &str) -> Vec<String> {
    let sql = "SELECT chunks.text FROM chunks_text JOIN chunks ON chunks.id = chunks_text.rowid
               WHERE chunks_text MATCH ? ORDER BY chunks.id";
    sqlx::query_scalar(sql).bind(words).fetch_all(connection).await.expect("the index")
}

async fn assert_consistent(connection: &mut SqliteConnection) {
    let faults: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut *connection).await.expect("a check");
    assert_eq!(faults, ["ok"]);
    let index = "INSERT INTO chunks_text (chunks_text, rank) VALUES ('integrity-check', 1)";
    sqlx::query(index).execute(connection).await.expect("the index has every chunk and no other");
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rag.db");
    let mut old = connection(&path).await;
    sqlx::raw_sql(VERSION_1).execute(&mut old).await.expect("the old tables");
    drop(old);

    let store = Store::open(&path, &HashingEmbedder::new(2)).await.expect("migrated");
    let hits = store.nearest("acme", &[1.0, 0.0], 10).await.expect("hits");
    let texts: Vec<&str> = hits.iter().map(|hit| hit.text.as_str()).collect();
    assert_eq!(texts, ["The café opens.", "It closes."]);
    assert_eq!((hits[0].headings[0].as_str(), hits[0].page), ("Guide", Some(3)));
    let known = store.known("acme").await.expect("readable");
    assert_eq!((known["/a.md"].chunks, known["/a.md"].bytes, &known["/a.md"].version), (2, 99, &None));
    store.close().await;

    // Once more: there is nothing left to do.
    let store = Store::create(&path, &HashingEmbedder::new(2)).await.expect("opened");
    assert_eq!(store.chunk_count("acme").await.expect("a count"), 2);
    let mut database = connection(&path).await;
    assert_eq!(search(&mut database, "cafe").await, ["The café opens."]);
    assert_eq!(search(&mut database, "guide").await, ["The café opens."]);
    assert_consistent(&mut database).await;
    store.replace("acme", &document("/a.md"), &embedded(&[[1.0, 0.0]])).await.expect("replaced");
    assert!(search(&mut database, "cafe").await.is_empty());
    assert_eq!(search(&mut database, "text").await, ["text 0"]);
    assert_consistent(&mut database).await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rag.db");
    Store::create(&path, &HashingEmbedder::new(2)).await.expect("a store").close().await;
    let mut newer = connection(&path).await;
    sqlx::query("PRAGMA user_version = 3").execute(&mut newer).await.expect("set");
    drop(newer);
    let error = Store::create(&path, &HashingEmbedder::new(2)).await.expect_err("too new");
    assert!(matches!(error, StoreError::Newer { version: 3, .. }), "{error:?}");
    assert!(error.to_string().contains("update the program, or name another file with --db"), "{error}");
}
