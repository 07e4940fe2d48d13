//! Whatever a pipeline may give the sink arrives, once.

use ragtrace::testing::sink::SinkTest;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

use crate::support::File;

#[tokio::test]
async fn every_sort_of_batch_arrives_once() {
    let file = File::new();
    let path = file.path();
    let count = async move || {
        // Before the first batch there is no file.
        let options = SqliteConnectOptions::new().filename(&path);
        let Ok(mut connection): Result<SqliteConnection, _> = options.connect().await else { return 0 };
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM logs").fetch_one(&mut connection).await.unwrap_or(0);
        usize::try_from(count).expect("a count")
    };
    SinkTest::new(file.sink()).exactly_once(count).run().await.assert_passed();
}
