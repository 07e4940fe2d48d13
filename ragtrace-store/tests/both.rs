//! Behaviour that the sinks and the stores of SQLite and PostgreSQL have in common.
//!
//! The tests over PostgreSQL need Unix: a shell supervises their server, and signals end it.

#[cfg(unix)]
#[expect(dead_code, reason = "shared with the tests of PostgreSQL, which use more of it")]
#[path = "../../tests/support/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "shared with the tests of each store, which use more of it")]
mod support;
#[path = "support/test_store.rs"]
mod test_store;

/// Runs each of these tests over both stores.
macro_rules! over_both {
    ($($test:ident),+ $(,)?) => {
        mod over_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::test_store::TestStore::sqlite()).await;
            })+
        }

        #[cfg(unix)]
        mod over_postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::test_store::TestStore::postgres()).await;
            })+
        }
    };
}

mod both {
    mod any_batch;
    mod archived;
    mod audit;
    mod faults;
    mod items;
    mod large;
    mod lists;
    mod long_ids;
    mod pages;
    mod plans;
    mod reading;
    mod retention;
    mod scores;
    mod searching;
    mod statistics;
    mod tails;
    mod writing;
}
