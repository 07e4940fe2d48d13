//! A lane with made-up time and no thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Input, Lane};
use crate::pipeline::QueueLimits;
use crate::record::{Origin, Record};
use crate::sink::{BatchLimits, BoxSink, Delivered, Discard, Sink, SinkError};

struct Small(Discard);

impl Sink for Small {
    fn name(&self) -> &'static str {
        "small"
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(4)
    }

    async fn deliver(&self, batch: &crate::sink::Batch) -> Result<Delivered, SinkError> {
        self.0.deliver(batch).await
    }
}

fn records(number: usize) -> Input {
    let record = || {
        let json = format!(
            r#"{{"id":"{}","timestamp":"2026-11-22T08:20:11Z","level":"INFO","logger":"l","message":"m","event":"log","instance":"{}"}}"#,
            Uuid::new_v4(),
            Uuid::nil()
        );
        Record::from_json(&json).expect("a record")
    };
    Input { records: (0..number).map(|_| record()).collect(), ..Input::default() }
}

fn lane(share: QueueLimits) -> Lane {
    Lane::new(BoxSink::new(Small(Discard::new())), share, None, Arc::new(Origin::new(Uuid::nil())))
}

#[test]
fn a_batch_that_fails_keeps_its_id_and_waits() {
    let (mut lane, now) = (lane(QueueLimits::default()), Instant::now());
    lane.accept(records(4), now);
    let (ticket, first) = lane.poll(now).pop().expect("a full batch");
    lane.answer(ticket, Err(SinkError::retry("down").after(Duration::from_secs(5))), now);
    assert!(lane.poll(now + Duration::from_secs(4)).is_empty(), "not before the backend asked");
    let (ticket, second) = lane.poll(now + Duration::from_secs(6)).pop().expect("it is tried again");
    assert_eq!(first.id(), second.id());
    lane.answer(ticket, Ok(Delivered::all()), now);
    assert!(lane.account().is_balanced() && lane.account().delivered == 4 && lane.is_settled_below(1));
}

#[test]
fn poison_is_found_by_halves_whose_ids_follow_from_the_parent() {
    let (mut lane, now) = (lane(QueueLimits::default()), Instant::now());
    let input = records(4);
    let poison = input.records[2].id();
    lane.accept(input.clone(), now);
    let mut sizes = Vec::new();
    while let Some((ticket, batch)) = lane.poll(now).pop() {
        sizes.push(batch.records().len());
        let is_bad = batch.records().iter().any(|record| record.id() == poison);
        lane.answer(ticket, if is_bad { Err(SinkError::rejected("bad")) } else { Ok(Delivered::all()) }, now);
    }
    assert_eq!(sizes, [4, 2, 2, 1, 1]);
    let account = lane.account();
    assert!((account.delivered, account.dead_lettered, account.pending) == (3, 1, 0) && account.is_balanced());
}

#[test]
fn what_has_no_room_is_dropped_and_counted() {
    let (mut lane, now) = (lane(QueueLimits::default().with_sink_records(6)), Instant::now());
    lane.accept(records(10), now);
    let account = lane.account().clone();
    assert_eq!((account.accepted, account.pending, account.dropped), (10, 6, 4));
    lane.give_up();
    assert!(lane.account().is_balanced() && lane.account().dropped == 10);
}
