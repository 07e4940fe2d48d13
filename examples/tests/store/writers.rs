//! Writing while other programs write, the disk is full, or a connection breaks.

use std::time::Duration;

use ragtrace_examples::store::{Entry, StoreError, Stored};

use crate::{Scene, connection, document, embedded};

#[tokio::test]
async fn a_transaction_that_the_database_ended_by_itself_hurts_no_other_document() {
    let scene = Scene::new().await;
    // This is what a full disk does: the transaction is over before anybody has ended it.
    let mut database = connection(&scene.path()).await;
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON chunks WHEN NEW.text = 'text 1'
                   BEGIN SELECT RAISE(ROLLBACK, 'the transaction is over'); END";
    sqlx::query(trigger).execute(&mut database).await.expect("a trigger");
    for _ in 0..12 {
        let error = scene.store.replace("", &document("bad"), &embedded(&[[1.0, 0.0]; 2])).await.expect_err("refused");
        assert!(matches!(error, StoreError::Write(_)), "{error:?}");
    }
    for number in 0..12 {
        let document = document(&format!("good {number}"));
        scene.store.replace("", &document, &embedded(&[[1.0, 0.0]])).await.expect("stored");
    }
    assert_eq!(scene.store.chunk_count("").await.expect("a count"), 12);
}

#[tokio::test]
async fn a_writer_waits_for_another_program_and_then_goes_on() {
    let scene = Scene::new().await;
    let mut other = connection(&scene.path()).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("the lock");
    let (document, chunks) = (document("a"), embedded(&[[1.0, 0.0]; 2]));
    let mut stored = std::pin::pin!(scene.store.replace("", &document, &chunks));
    let early = tokio::time::timeout(Duration::from_secs(7), &mut stored).await;
    assert!(early.is_err(), "longer than a statement waits");
    sqlx::query("COMMIT").execute(&mut other).await.expect("unlocked");
    assert_eq!(stored.await.expect("stored"), Stored { chunks: 2, replaced: 0 });
}

#[tokio::test]
async fn a_draft_is_seen_by_nobody_until_its_last_part() {
    let scene = Scene::new().await;
    let document = document("a");
    let entry = Entry { tenant: "acme", document: &document, version: None };
    scene.store.replace("acme", &document, &embedded(&[[0.0, 1.0]; 2])).await.expect("the earlier version");
    let part = |from: usize| {
        let mut part = embedded(&[[1.0, 0.0]; 3]);
        part.chunks.iter_mut().for_each(|chunk| chunk.enriched.chunk.position += from);
        part
    };
    let draft = scene.store.append(entry, None, &part(0)).await.expect("stored");
    let draft = scene.store.append(entry, Some(draft), &part(3)).await.expect("stored");
    assert_eq!(scene.store.chunk_count("acme").await.expect("a count"), 2);
    assert_eq!(scene.texts("acme", [1.0, 0.0]).await.len(), 2);
    let stored = scene.store.publish(entry, Some(draft), &part(6)).await.expect("published");
    assert_eq!(stored, Stored { chunks: 9, replaced: 2 });
    assert_eq!(scene.store.chunk_count("acme").await.expect("a count"), 9);
    assert_eq!(scene.store.known("acme").await.expect("readable")["a"].chunks, 9);
}

#[tokio::test]
async fn a_draft_that_was_left_behind_is_replaced_or_removed_later() {
    let scene = Scene::new().await;
    let document = document("a");
    let entry = Entry { tenant: "", document: &document, version: None };
    let count = async || -> i64 {
        let mut database = connection(&scene.path()).await;
        sqlx::query_scalar("SELECT count(*) FROM chunks").fetch_one(&mut database).await.expect("a count")
    };
    let abandoned = scene.store.append(entry, None, &embedded(&[[1.0, 0.0]; 5])).await.expect("stored");
    assert_eq!(count().await, 5);
    scene.store.replace("", &document, &embedded(&[[1.0, 0.0]; 2])).await.expect("stored");
    assert_eq!(count().await, 2);
    let error = scene.store.publish(entry, Some(abandoned), &embedded(&[[1.0, 0.0]])).await.expect_err("it is gone");
    assert!(matches!(error, StoreError::Write(_)), "{error:?}");

    scene.store.append(entry, None, &embedded(&[[1.0, 0.0]; 5])).await.expect("stored");
    let mut database = connection(&scene.path()).await;
    let age = "UPDATE documents SET stored_at = stored_at - 4000 WHERE tenant IS NULL";
    sqlx::query(age).execute(&mut database).await.expect("aged");
    scene.reopen().await;
    assert_eq!(count().await, 2);
}

#[tokio::test]
async fn removed_documents_are_gone_with_their_chunks() {
    let scene = Scene::new().await;
    for (tenant, path) in [("acme", "a"), ("acme", "b"), ("other", "a")] {
        scene.store.replace(tenant, &document(path), &embedded(&[[1.0, 0.0]])).await.expect("stored");
    }
    let gone = ["a".to_owned(), "unknown".to_owned()];
    assert_eq!(scene.store.remove("acme", &gone).await.expect("removed"), 1);
    assert_eq!(scene.texts("acme", [1.0, 0.0]).await, ["b text 0"]);
    assert_eq!(scene.store.chunk_count("other").await.expect("a count"), 1);
}
