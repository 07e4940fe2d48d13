//! Tests of a delivery with an artificial clock and without a thread.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{DeliveryInput, SinkDelivery, SpoolLink};
use crate::metrics::{DurationSketch, StageMinute};
use crate::pipeline::report::SelfReport;
use crate::record::{Origin, Record, SELF_REPORT_LOGGER};
use crate::sink::{BatchLimits, BoxSink, Delivered, Discard, GuardedSink, Sink, SinkError};
use crate::spool::{SpoolCommand, SpoolEvent, SpoolHandle, StoredKey};
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

fn small() -> GuardedSink {
    GuardedSink::new(BoxSink::new(Small(Discard::new()))).expect("it does not panic")
}

fn records(number: usize) -> DeliveryInput {
    records_of(number, "app")
}

fn records_of(number: usize, logger: &str) -> DeliveryInput {
    let record = || {
        let json = format!(
            r#"{{"id":"{}","timestamp":"2026-11-22T08:20:11Z","level":"INFO","logger":"{logger}","message":"m","event":"log","instance":"{}"}}"#,
            Uuid::new_v4(),
            Uuid::nil()
        );
        Record::from_json(&json).expect("a record")
    };
    DeliveryInput { records: (0..number).map(|_| record()).collect(), ..DeliveryInput::default() }
}

fn delivery(memory_limits: QueueLimits) -> SinkDelivery {
    SinkDelivery::new(small(), None, memory_limits, None, Arc::new(Origin::new(Uuid::nil())))
}

#[test]
fn a_batch_that_fails_keeps_its_id_and_waits() {
    let (mut delivery, now) = (delivery(QueueLimits::default()), Instant::now());
    delivery.accept(records(4), now);
    let (ticket, first) = delivery.poll(now).pop().expect("a full batch");
    delivery.handle_answer(ticket, Err(SinkError::retry("down").after(Duration::from_secs(5))), now);
    assert!(delivery.poll(now + Duration::from_secs(4)).is_empty(), "not before the backend asked");
    let (ticket, second) = delivery.poll(now + Duration::from_secs(6)).pop().expect("it is tried again");
    assert_eq!(first.id(), second.id());
    delivery.handle_answer(ticket, Ok(Delivered::all()), now);
    assert!(delivery.account().is_balanced() && delivery.account().delivered == 4 && delivery.is_finished_below(1));
}

#[test]
fn a_sink_that_is_parked_or_fails_says_so_and_since_when_its_oldest_batch_waits() {
    let (mut delivery, now) = (delivery(QueueLimits::default()), Instant::now());
    let state = |delivery: &SinkDelivery| {
        let stats = delivery.stats();
        (stats.parked, stats.failing, stats.oldest_waiting.is_some())
    };
    assert_eq!(state(&delivery), (false, false, false));
    let before = ragtrace_core::Timestamp::now();
    delivery.accept(records(4), now);
    let (ticket, _) = delivery.poll(now).pop().expect("a full batch");
    assert_eq!(state(&delivery), (false, false, true), "a batch waits while it is sent");
    delivery.handle_answer(ticket, Err(SinkError::park("no key")), now);
    assert_eq!(state(&delivery), (true, true, true));
    delivery.accept(records(4), now);
    let oldest = delivery.stats().oldest_waiting.expect("it waits");
    assert!(oldest >= before && delivery.stats().waiting() < Duration::from_mins(1));
    let (ticket, _) = delivery.poll(now + Duration::from_secs(40)).pop().expect("it is probed");
    delivery.handle_answer(ticket, Err(SinkError::retry("down")), now);
    assert_eq!(state(&delivery), (false, true, true), "it can be reached again, and is down");
    let mut now = now + Duration::from_secs(80);
    while let Some((ticket, _)) = delivery.poll(now).pop() {
        delivery.handle_answer(ticket, Ok(Delivered::all()), now);
        now += Duration::from_secs(1);
    }
    assert_eq!(state(&delivery), (false, false, false));
}

#[test]
fn poison_is_found_by_halves_whose_ids_follow_from_the_parent() {
    let (mut delivery, now) = (delivery(QueueLimits::default()), Instant::now());
    let input = records(4);
    let poison = input.records[2].id();
    delivery.accept(input.clone(), now);
    let mut sizes = Vec::new();
    while let Some((ticket, batch)) = delivery.poll(now).pop() {
        sizes.push(batch.records().len());
        let is_bad = batch.records().iter().any(|record| record.id() == poison);
        delivery.handle_answer(
            ticket,
            if is_bad { Err(SinkError::rejected("bad")) } else { Ok(Delivered::all()) },
            now,
        );
    }
    assert_eq!(sizes, [4, 2, 2, 1, 1]);
    let account = delivery.account();
    assert!((account.delivered, account.dead_lettered, account.pending) == (3, 1, 0) && account.is_balanced());
}

#[test]
fn what_has_no_room_is_dropped_and_counted() {
    let (mut delivery, now) = (delivery(QueueLimits::default().with_sink_records(6)), Instant::now());
    delivery.accept(records(10), now);
    let account = delivery.account().clone();
    assert_eq!((account.accepted, account.pending, account.dropped), (10, 6, 4));
    delivery.give_up("it is over");
    assert!(delivery.account().is_balanced() && delivery.account().dropped == 10);
}

fn spooled(memory_limits: QueueLimits) -> (SinkDelivery, Receiver<SpoolCommand>) {
    let (handle, commands) = SpoolHandle::channel();
    let link = SpoolLink { spool: handle, sink_index: 0, is_durable: false };
    (SinkDelivery::new(small(), None, memory_limits, Some(link), Arc::new(Origin::new(Uuid::nil()))), commands)
}

/// Answers all pending commands to store batches with success.
fn store_all(delivery: &mut SinkDelivery, commands: &Receiver<SpoolCommand>, now: Instant) {
    for command in commands.try_iter() {
        if let SpoolCommand::Store { ticket, .. } = command {
            delivery.handle_spool_event(
                SpoolEvent::Stored { sink_index: 0, ticket, key: Ok(StoredKey::for_test(ticket)) },
                now,
            );
        }
    }
}

#[test]
fn a_disk_that_is_behind_costs_what_is_over_the_limits_and_that_is_counted_and_reported() {
    let (mut delivery, commands) = spooled(QueueLimits::default().with_sink_records(16));
    let now = Instant::now();
    for _ in 0..10 {
        delivery.accept(records(4), now);
        // One batch is being delivered and never answered; batches beyond half of `memory_limits`
        // go to the disk, which is slow.
        delivery.poll(now);
        assert!(delivery.account().is_balanced() && delivery.account().pending <= 16, "{:?}", delivery.account());
    }
    assert_eq!((delivery.account().accepted, delivery.account().dropped, delivery.account().spooled), (40, 24, 0));
    let reports = delivery.take_self_reports(now);
    assert!(
        matches!(&reports[..], [SelfReport::Dropped { why, .. }] if why == "too many records are waiting for the sink"),
        "{reports:?}"
    );
    store_all(&mut delivery, &commands, now);
    assert_eq!((delivery.account().pending, delivery.account().spooled), (8, 8), "the disk has caught up");
    delivery.accept(records(4), now);
    assert_eq!((delivery.account().pending, delivery.account().dropped), (12, 24), "and there is room again");
    assert!(delivery.account().is_balanced());
}

#[test]
fn what_has_no_place_on_disk_at_the_end_is_dropped_for_that_reason() {
    let (mut delivery, commands) = spooled(QueueLimits::default());
    let now = Instant::now();
    delivery.accept(records(4), now);
    delivery.spool_rest();
    let Ok(SpoolCommand::Store { ticket, .. }) = commands.try_recv() else { panic!("it is to be stored") };
    delivery.handle_spool_event(
        SpoolEvent::Stored { sink_index: 0, ticket, key: Err("the spool is full".to_owned()) },
        now,
    );
    assert!(delivery.account().dropped == 4 && delivery.account().is_balanced() && !delivery.waits_for_disk());
    let reports = delivery.take_self_reports(now);
    assert!(
        matches!(&reports[..], [SelfReport::Dropped { why, .. }] if why.ends_with(": the spool is full")),
        "{reports:?}"
    );
}

#[test]
fn a_sink_that_is_parked_beyond_the_deadline_is_not_waited_for() {
    let (mut delivery, now) = (delivery(QueueLimits::default()), Instant::now());
    let soon = now + Duration::from_secs(5);
    delivery.accept(records(4), now);
    let below = delivery.flush();
    let (ticket, _) = delivery.poll(now).pop().expect("it is tried at once");
    assert!(!delivery.is_idle_until(soon), "it is asked");
    delivery.handle_answer(ticket, Err(SinkError::park("no such user")), now);
    assert!(
        !delivery.is_finished_below(below)
            && delivery.is_idle_until(soon)
            && !delivery.is_idle_until(now + Duration::from_mins(1))
    );
    let (mut spooled, _commands) = spooled(QueueLimits::default());
    spooled.accept(records(4), now);
    let (ticket, _) = spooled.poll(now).pop().expect("a full batch");
    spooled.handle_answer(ticket, Err(SinkError::park("no such user")), now);
    assert!(!spooled.is_idle_until(soon), "it goes to disk");
}

#[test]
fn reports_of_the_pipeline_on_itself_lead_to_no_further_reports() {
    let (mut delivery, mut now) = (delivery(QueueLimits::default()), Instant::now());
    let deliver = |delivery: &mut SinkDelivery, records: DeliveryInput, now: Instant| {
        delivery.accept(records, now);
        delivery.flush();
        for (ticket, _) in delivery.poll(now) {
            delivery.handle_answer(ticket, Ok(Delivered::all()), now);
        }
        delivery.take_self_reports(now)
    };
    assert_eq!(deliver(&mut delivery, records(1), now), [SelfReport::Shipped { batches: 1, records: 1 }]);
    for _ in 0..100 {
        now += Duration::from_secs(2);
        assert_eq!(deliver(&mut delivery, records_of(1, SELF_REPORT_LOGGER), now), [], "of its own records");
    }
}

#[test]
fn a_record_that_makes_the_sink_panic_is_found_and_holds_up_no_other() {
    let (mut delivery, mut now) = (delivery(QueueLimits::default()), Instant::now());
    let input = records(4);
    let poison = input.records[1].id();
    delivery.accept(input.clone(), now);
    while delivery.account().pending > 0 {
        now += Duration::from_mins(2);
        for (ticket, batch) in delivery.poll(now) {
            let is_bad = batch.records().iter().any(|record| record.id() == poison);
            let answer = if is_bad { Err(SinkError::panicked("index out of bounds")) } else { Ok(Delivered::all()) };
            delivery.handle_answer(ticket, answer, now);
        }
    }
    assert_eq!((delivery.account().delivered, delivery.account().dead_lettered), (3, 1));
}

/// Returns records, and minutes of stages with these names.
fn with_counts(number: usize, stages: &[&'static str]) -> DeliveryInput {
    let minute = |stage: &&'static str| StageMinute {
        minute: ragtrace_core::Timestamp::from_micros(0),
        stage: (*stage).into(),
        kind: ragtrace_core::StageKind::Task,
        tenant_id: None,
        completed: 1,
        failed: 0,
        cancelled: 0,
        items: 0,
        cost_usd: 0.0,
        total: 1,
        durations: DurationSketch::new(),
    };
    DeliveryInput { minutes: stages.iter().map(minute).collect(), ..records(number) }
}

/// Sends everything to a sink that refuses the batches for which `is_bad` returns `true`, and
/// returns the stages whose metrics arrived.
fn counts_that_arrive(
    delivery: &mut SinkDelivery,
    now: Instant,
    is_bad: impl Fn(&crate::sink::Batch) -> bool,
) -> Vec<String> {
    let mut arrived = Vec::new();
    delivery.flush();
    while let Some((ticket, batch)) = delivery.poll(now).pop() {
        let answer = if is_bad(&batch) { Err(SinkError::rejected("bad")) } else { Ok(Delivered::all()) };
        if answer.is_ok() {
            arrived.extend(batch.minutes().iter().map(|minute| minute.stage().to_owned()));
        }
        delivery.handle_answer(ticket, answer, now);
    }
    arrived.sort();
    arrived
}

#[test]
fn a_record_that_is_refused_takes_no_counts_with_it() {
    for number in 1..=4 {
        for poison in 0..number {
            let (mut delivery, now) = (delivery(QueueLimits::default()), Instant::now());
            let input = with_counts(number, &["a", "b", "c"]);
            let poison = input.records[poison].id();
            delivery.accept(input, now);
            let is_bad = |batch: &crate::sink::Batch| batch.records().iter().any(|record| record.id() == poison);
            assert_eq!(counts_that_arrive(&mut delivery, now, is_bad), ["a", "b", "c"]);
            let account = delivery.account();
            assert_eq!((account.delivered, account.dead_lettered), (number as u64 - 1, 1));
            assert!(account.is_balanced() && account.counts_dropped == 0 && delivery.is_finished_below(1));
        }
    }
}

#[test]
fn a_count_that_is_refused_is_found_alone_and_is_told_and_counted() {
    let (mut delivery, now) = (delivery(QueueLimits::default()), Instant::now());
    delivery.accept(with_counts(3, &["a", "b", "poison", "d", "e"]), now);
    let is_bad = |batch: &crate::sink::Batch| batch.minutes().iter().any(|minute| minute.stage() == "poison");
    assert_eq!(counts_that_arrive(&mut delivery, now, is_bad), ["a", "b", "d", "e"]);
    let account = delivery.account().clone();
    assert_eq!((account.delivered, account.dropped, account.counts_dropped), (3, 0, 1));
    assert_eq!(account.drop_reason.as_deref(), Some("they were refused for good: bad"));
    let reports = delivery.take_self_reports(now);
    assert!(reports.iter().any(|report| matches!(report, SelfReport::CountsDropped { counts: 1, .. })), "{reports:?}");
    assert!(delivery.lost() == 1 && delivery.is_finished_below(1) && delivery.memory == 0);
}

#[test]
fn counts_that_are_refused_one_after_another_park_the_sink() {
    let (mut delivery, now) = (delivery(QueueLimits::default()), Instant::now());
    let stages: Vec<&'static str> = vec!["s"; 40];
    delivery.accept(with_counts(0, &stages), now);
    assert!(counts_that_arrive(&mut delivery, now, |_| true).is_empty());
    assert!(delivery.account().counts_dropped < 8, "{:?}", delivery.account());
    assert_eq!(counts_that_arrive(&mut delivery, now + Duration::from_mins(1), |_| false).len(), 33, "the rest waits");
}

#[test]
fn a_batch_whose_records_are_all_refused_waits_until_others_are_taken_and_holds_up_nothing_then() {
    let sink = GuardedSink::new(BoxSink::new(Discard::new())).expect("it does not panic");
    let mut delivery = SinkDelivery::new(sink, None, QueueLimits::default(), None, Arc::new(Origin::new(Uuid::nil())));
    let mut now = Instant::now();
    let all = |number: usize| Delivered::partly((0..number).map(|index| (index, "bad".to_owned())));
    delivery.accept(records(20), now);
    delivery.flush();
    for _ in 0..3 {
        let (ticket, _) = delivery.poll(now).pop().expect("it is tried again: it may be the sink that is not set up");
        delivery.handle_answer(ticket, Ok(all(20)), now);
        assert_eq!((delivery.account().dead_lettered, delivery.account().pending), (0, 20));
        now += Duration::from_mins(1);
    }
    delivery.accept(records(1), now);
    delivery.flush();
    for _ in 0..2 {
        let (ticket, batch) = delivery.poll(now).pop().expect("one after the other");
        let answer = if batch.records().len() == 20 { all(20) } else { Delivered::all() };
        delivery.handle_answer(ticket, Ok(answer), now);
        now += Duration::from_mins(1);
    }
    while let Some((ticket, batch)) = delivery.poll(now).pop().filter(|(_, batch)| !batch.records().is_empty()) {
        delivery.handle_answer(ticket, Ok(all(batch.records().len())), now);
        now += Duration::from_mins(1);
    }
    let account = delivery.account();
    assert_eq!((account.delivered, account.dead_lettered, account.pending), (1, 20, 0));
    assert!(account.is_balanced());
}

#[test]
fn records_that_the_sink_itself_does_not_send_become_dead_letters_however_many_they_are() {
    let mut delivery = delivery(QueueLimits::default());
    let now = Instant::now();
    delivery.accept(records(40), now);
    let unsent = |number: usize| Delivered::unsent((0..number).map(|index| (index, "too old".to_owned())));
    delivery.flush();
    while let Some((ticket, batch)) = delivery.poll(now).pop() {
        delivery.handle_answer(ticket, Ok(unsent(batch.records().len())), now);
    }
    let account = delivery.account();
    assert_eq!((account.delivered, account.dead_lettered, account.pending), (0, 40, 0));
    assert!(account.is_balanced());
}

#[test]
fn counts_are_on_disk_with_the_halves_of_their_batch_before_one_is_sent() {
    let (mut delivery, commands) = spooled(QueueLimits::default());
    let now = Instant::now();
    delivery.accept(with_counts(4, &["a"]), now);
    delivery.flush();
    delivery.poll(now).pop().expect("it is sent");
    // The batch is stored while it is being delivered, as batches that were read back are.
    let (ticket, outgoing) = delivery.in_flight.pop_first().expect("it is under way");
    delivery.in_flight.insert(ticket, super::outgoing::OutgoingBatch { key: Some(StoredKey::for_test(1)), ..outgoing });
    delivery.handle_answer(ticket, Err(SinkError::rejected("bad")), now);
    let Some(SpoolCommand::Split { ticket, parts, .. }) = commands.try_iter().last() else { panic!("it is split") };
    let sizes: Vec<_> = parts.iter().map(|part| (part.records().len(), part.counts())).collect();
    assert_eq!(sizes, [(2, 0), (2, 0), (0, 1)]);
    assert!(delivery.poll(now).is_empty(), "none is sent before the disk has all");
    let keys = Ok((2..5).map(StoredKey::for_test).collect());
    delivery.handle_spool_event(SpoolEvent::Split { sink_index: 0, ticket, keys }, now);
    assert_eq!(counts_that_arrive(&mut delivery, now, |_| false), ["a"]);
    assert!(delivery.account().delivered == 4 && delivery.is_finished_below(1));
}

#[test]
fn a_delivery_whose_disk_is_gone_leaves_there_what_is_there_and_goes_on_in_memory() {
    let (mut delivery, commands) = spooled(QueueLimits::default());
    let now = Instant::now();
    delivery.accept(records(4), now);
    let (ticket, _) = delivery.poll(now).pop().expect("a full batch");
    delivery.handle_answer(ticket, Err(SinkError::park("no such user")), now);
    delivery.accept(records(4), now);
    delivery.poll(now + Duration::from_secs(10));
    let stores = commands.try_iter().filter(|command| matches!(command, SpoolCommand::Store { .. })).count();
    assert_eq!(stores, 2, "both are on their way to the disk");
    drop(commands);
    delivery.lose_disk(now);
    assert!(!delivery.waits_for_disk() && delivery.account().is_balanced() && delivery.account().pending == 8);
    assert!(delivery.is_idle_until(now + Duration::from_secs(5)), "a flush is answered at once");
    delivery.give_up("it is over");
    assert_eq!((delivery.account().dropped, delivery.lost()), (8, 8));
}

#[test]
fn a_batch_that_is_lost_on_disk_counts_as_in_memory_alone() {
    let (mut delivery, _commands) = spooled(QueueLimits::default());
    let now = Instant::now();
    delivery.accept(records(4), now);
    let below = delivery.flush();
    delivery.poll(now);
    let (ticket, outgoing) = delivery.in_flight.pop_first().expect("it is under way");
    let key = StoredKey::for_test(7);
    delivery.in_flight.insert(ticket, super::outgoing::OutgoingBatch { key: Some(key), ..outgoing });
    assert!(delivery.is_safe_below(below));
    delivery.handle_spool_event(SpoolEvent::Lost { sink_index: 0, keys: vec![key] }, now);
    assert!(!delivery.is_safe_below(below));
}

#[test]
fn times_that_no_clock_can_take_are_bounded() {
    struct Patient;
    impl Sink for Patient {
        fn name(&self) -> &'static str {
            "patient"
        }

        fn limits(&self) -> BatchLimits {
            BatchLimits::default()
                .with_age(Duration::MAX)
                .with_records(usize::MAX)
                .with_bytes(usize::MAX)
                .with_in_flight(0)
        }

        async fn deliver(&self, _: &crate::sink::Batch) -> Result<Delivered, SinkError> {
            Ok(Delivered::all())
        }
    }
    let sink = GuardedSink::new(BoxSink::new(Patient)).expect("it does not panic");
    let mut delivery = SinkDelivery::new(sink, None, QueueLimits::default(), None, Arc::new(Origin::new(Uuid::nil())));
    let now = Instant::now();
    delivery.accept(records(2), now);
    assert!(delivery.deadline().is_some());
    delivery.flush();
    for error in [SinkError::park("later"), SinkError::retry("later")] {
        let (ticket, _) = delivery.poll(now + Duration::from_hours(48)).pop().expect("one may be under way");
        delivery.handle_answer(ticket, Err(error.after(Duration::MAX)), now);
    }
    assert!(delivery.deadline().is_some_and(|deadline| deadline <= now + Duration::from_hours(2)));
}

#[test]
fn records_that_a_backend_refuses_without_naming_them_count_as_dropped() {
    let (mut delivery, now) = (delivery(QueueLimits::default()), Instant::now());
    // A number above that of all records counts as all, and 0 is a warning.
    for (refused, delivered, dropped) in [(0, 4, 0), (3, 5, 3), (9, 5, 7)] {
        delivery.accept(records(4), now);
        let (ticket, _) = delivery.poll(now).pop().expect("a batch");
        delivery.handle_answer(ticket, Ok(Delivered::all_but(refused, "odd")), now);
        let account = delivery.account();
        assert_eq!((account.delivered, account.dropped, account.pending), (delivered, dropped, 0));
        assert!(account.is_balanced(), "{account:?}");
    }
}
