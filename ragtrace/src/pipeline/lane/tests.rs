//! A lane with made-up time and no thread.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Doing, Input, Lane, Spooling};
use crate::record::{OWN_LOGGER, Origin, Record};
use crate::sink::{BatchLimits, BoxSink, Delivered, Discard, Sink, SinkError};
use crate::spool::{Command, Event, Handle, Key};
use ragtrace_core::queue::QueueLimits;

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
    records_of(number, "app")
}

fn records_of(number: usize, logger: &str) -> Input {
    let record = || {
        let json = format!(
            r#"{{"id":"{}","timestamp":"2026-11-22T08:20:11Z","level":"INFO","logger":"{logger}","message":"m","event":"log","instance":"{}"}}"#,
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

fn spooled(share: QueueLimits) -> (Lane, Receiver<Command>) {
    let (handle, commands) = Handle::detached();
    let spooling = Spooling { handle, lane: 0, is_durable: false };
    (
        Lane::new(BoxSink::new(Small(Discard::new())), share, Some(spooling), Arc::new(Origin::new(Uuid::nil()))),
        commands,
    )
}

/// Has the disk store all that it was asked to.
fn store_all(lane: &mut Lane, commands: &Receiver<Command>, now: Instant) {
    for command in commands.try_iter() {
        if let Command::Store { ticket, .. } = command {
            lane.take_event(Event::Stored { lane: 0, ticket, key: Ok(Key::made_up(ticket)) }, now);
        }
    }
}

#[test]
fn a_disk_that_is_behind_costs_what_is_over_the_share_and_that_is_counted_and_told() {
    let (mut lane, commands) = spooled(QueueLimits::default().with_sink_records(16));
    let now = Instant::now();
    for _ in 0..10 {
        lane.accept(records(4), now);
        // One batch is under way and never answered; what is over half of the share goes to the disk, which is slow.
        lane.poll(now);
        assert!(lane.account().is_balanced() && lane.account().pending <= 16, "{:?}", lane.account());
    }
    assert_eq!((lane.account().accepted, lane.account().dropped, lane.account().spooled), (40, 24, 0));
    let told = lane.take_news(now);
    assert!(matches!(&told[..], [Doing::Dropped { why, .. }] if why == "too many records wait for it"), "{told:?}");
    store_all(&mut lane, &commands, now);
    assert_eq!((lane.account().pending, lane.account().spooled), (8, 8), "the disk has caught up");
    lane.accept(records(4), now);
    assert_eq!((lane.account().pending, lane.account().dropped), (12, 24), "and there is room again");
    assert!(lane.account().is_balanced());
}

#[test]
fn what_has_no_place_on_disk_at_the_end_is_dropped_for_that_reason() {
    let (mut lane, commands) = spooled(QueueLimits::default());
    let now = Instant::now();
    lane.accept(records(4), now);
    lane.spool_rest();
    let Ok(Command::Store { ticket, .. }) = commands.try_recv() else { panic!("it is to be stored") };
    lane.take_event(Event::Stored { lane: 0, ticket, key: Err("the spool is full".to_owned()) }, now);
    assert!(lane.account().dropped == 4 && lane.account().is_balanced() && !lane.waits_for_disk());
    let told = lane.take_news(now);
    assert!(matches!(&told[..], [Doing::Dropped { why, .. }] if why.ends_with(": the spool is full")), "{told:?}");
}

#[test]
fn a_sink_that_is_parked_beyond_the_deadline_is_not_waited_for() {
    let (mut lane, now) = (lane(QueueLimits::default()), Instant::now());
    let soon = now + Duration::from_secs(5);
    lane.accept(records(4), now);
    let below = lane.flush();
    let (ticket, _) = lane.poll(now).pop().expect("it is tried at once");
    assert!(!lane.rests_until(soon), "it is asked");
    lane.answer(ticket, Err(SinkError::park("no such user")), now);
    assert!(!lane.is_settled_below(below) && lane.rests_until(soon) && !lane.rests_until(now + Duration::from_mins(1)));
    let (mut spooled, _commands) = spooled(QueueLimits::default());
    spooled.accept(records(4), now);
    let (ticket, _) = spooled.poll(now).pop().expect("a full batch");
    spooled.answer(ticket, Err(SinkError::park("no such user")), now);
    assert!(!spooled.rests_until(soon), "it goes to disk");
}

#[test]
fn what_the_pipeline_tells_of_itself_is_not_told_of() {
    let (mut lane, mut now) = (lane(QueueLimits::default()), Instant::now());
    let deliver = |lane: &mut Lane, records: Input, now: Instant| {
        lane.accept(records, now);
        lane.flush();
        for (ticket, _) in lane.poll(now) {
            lane.answer(ticket, Ok(Delivered::all()), now);
        }
        lane.take_news(now)
    };
    assert_eq!(deliver(&mut lane, records(1), now), [Doing::Shipped { batches: 1, records: 1 }]);
    for _ in 0..100 {
        now += Duration::from_secs(2);
        assert_eq!(deliver(&mut lane, records_of(1, OWN_LOGGER), now), [], "of its own records");
    }
}

#[test]
fn a_record_that_makes_the_sink_panic_is_found_and_holds_up_no_other() {
    let (mut lane, mut now) = (lane(QueueLimits::default()), Instant::now());
    let input = records(4);
    let poison = input.records[1].id();
    lane.accept(input.clone(), now);
    while lane.account().pending > 0 {
        now += Duration::from_mins(2);
        for (ticket, batch) in lane.poll(now) {
            let is_bad = batch.records().iter().any(|record| record.id() == poison);
            let answer = if is_bad { Err(SinkError::panicked("index out of bounds")) } else { Ok(Delivered::all()) };
            lane.answer(ticket, answer, now);
        }
    }
    assert_eq!((lane.account().delivered, lane.account().dead_lettered), (3, 1));
}
