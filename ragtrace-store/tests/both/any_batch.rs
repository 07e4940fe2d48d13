//! Whatever a pipeline may give a sink arrives, once.

use std::sync::Arc;

use ragtrace::Sink as _;
use ragtrace::testing::sink::SinkTest;

use crate::place::Place;
use crate::support::batch;

async fn every_sort_of_batch_arrives_once(place: Place) {
    // It makes the tables that are counted in.
    place.sink().deliver(&batch([])).await.expect("acknowledged");
    let (sink, place) = (place.sink(), Arc::new(place));
    let count = async move || usize::try_from(place.number("SELECT count(*) FROM logs").await).expect("a count");
    SinkTest::new(sink).exactly_once(count).run().await.assert_passed();
}

over_both! { every_sort_of_batch_arrives_once }
