//! Whatever a pipeline may give to a sink arrives once.

use std::sync::Arc;

use ragtrace::Sink as _;
use ragtrace::testing::sink::SinkTest;

use crate::support::batch;
use crate::test_store::TestStore;

over_both!(every_sort_of_batch_arrives_once);

async fn every_sort_of_batch_arrives_once(store: TestStore) {
    // This creates the tables in which rows are counted.
    store.sink().deliver(&batch([])).await.expect("acknowledged");
    let (sink, store) = (store.sink(), Arc::new(store));
    let count = async move || usize::try_from(store.number("SELECT count(*) FROM logs").await).expect("a count");
    SinkTest::new(sink).exactly_once(count).run().await.assert_passed();
}
