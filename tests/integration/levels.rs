//! Sinks with levels of their own: each accepts the records of its level, and the account is right
//! for each.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use ragtrace::sink::{Needs, SinkError};
use ragtrace::{
    Durability, Event, Level, Record, RequestContext, Sampler, Score, SpoolLimits, Stats, Value, traced_stage,
};
use ragtrace_tests::{Reply, Scripted};

use crate::support::{Memory, finish, quiet, turn};

/// A time limit far longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// Records a start and an end at `info`, and a start and an end at `debug`, or an `error` in place
/// of that end if it fails.
#[traced_stage("levels.answer", fields(number))]
fn answer(number: u64) {
    let _ = look_up(number, "a shelf");
}

#[traced_stage("levels.look_up", level = "debug", fields(number, place))]
fn look_up(number: u64, place: &str) -> Result<u64, String> {
    if number.is_multiple_of(4) { Err(format!("nothing in {place}")) } else { Ok(number) }
}

fn issue(numbers: impl IntoIterator<Item = u64>) {
    numbers.into_iter().for_each(|number| RequestContext::new().sync_scope(|| answer(number)));
}

/// Returns the number of stage records by stage, event and level.
fn counted(memory: &Memory) -> Vec<(String, Event, Level, usize)> {
    let records = memory.records();
    let mut found: Vec<(String, Event, Level, usize)> = Vec::new();
    for record in records.iter().filter(|record| record.stage().is_some()) {
        let name = record.stage().unwrap_or_default().trim_start_matches("levels.");
        let of = found.iter_mut().find(|(stage, event, ..)| (stage.as_str(), *event) == (name, record.event()));
        match of {
            Some((.., number)) => *number += 1,
            None => found.push((name.to_owned(), record.event(), record.level(), 1)),
        }
    }
    found.sort_by_key(|(stage, event, ..)| (stage.clone(), event.as_str()));
    found
}

fn assert_balanced(stats: &Stats) {
    for sink in &stats.sinks {
        assert!(sink.is_balanced(), "{sink:?}");
    }
}

#[test]
fn each_sink_takes_its_own_and_what_none_takes_is_the_hosts_to_count() {
    let _turn = turn();
    let all = Memory::named("all").level(Level::Debug);
    let usual = Memory::named("usual");
    let errors = Memory::named("errors").level(Level::Error);
    let spans = Memory::named("spans").level(Level::Warn).needs(Needs::default().with_all_end_records());
    let sinks = [all.clone(), usual.clone(), errors.clone(), spans.clone()];
    let builder = sinks.into_iter().fold(quiet().level(Level::Info), ragtrace::Builder::sink);
    let telemetry = builder.install().expect("the only one");
    let handle = telemetry.handle();
    std::thread::scope(|scope| {
        let issuing = scope.spawn(|| issue(0..2_000));
        while !issuing.is_finished() {
            assert_balanced(&handle.stats());
        }
    });
    let report = telemetry.flush_blocking(LONG);
    assert!(report.complete, "{report}");
    assert_balanced(&report.stats);
    let number = |name: &str| report.stats.sink(name).map(|sink| (sink.accepted, sink.delivered));
    finish(telemetry);
    let of_answer = |event| ("answer".to_owned(), event, Level::Info, 2_000);
    let of_look_up = |event, level, number| ("look_up".to_owned(), event, level, number);
    let failed = of_look_up(Event::Failed, Level::Error, 500);
    let looked = [of_look_up(Event::Completed, Level::Debug, 1_500), failed.clone()];
    let answered = [of_answer(Event::Completed), of_answer(Event::Started)];
    let started = of_look_up(Event::Started, Level::Debug, 2_000);
    assert_eq!(counted(&all), [&answered[..], &looked, &[started]].concat());
    assert_eq!(counted(&usual), [&answered[..], std::slice::from_ref(&failed)].concat());
    assert_eq!(counted(&errors), [failed]);
    assert_eq!(counted(&spans), [&answered[..1], &looked].concat(), "every end, and no start");
    assert_eq!(report.stats.filtered, 0, "somebody took each");
    assert_eq!(number("errors"), Some((500, 500)), "what it does not take is not accepted");
    for memory in [&all, &usual, &errors, &spans] {
        let runs: u64 = memory.minutes().iter().map(ragtrace::metrics::StageMinute::runs).sum();
        assert_eq!((runs, memory.requests().len()), (4_000, 2_000), "counts have no level");
    }
}

#[test]
fn what_no_sink_takes_is_filtered() {
    let _turn = turn();
    let (errors, warnings) =
        (Memory::named("errors").level(Level::Error), Memory::named("warnings").level(Level::Warn));
    let telemetry = quiet().level("trace").sink(errors.clone()).sink(warnings).install().expect("the only one");
    issue(0..8);
    let report = telemetry.flush_blocking(LONG);
    assert_eq!(report.stats.filtered, 8 * 4 - 2, "the builder's level is that of sinks without one");
    assert_eq!(errors.records().len(), 2);
    finish(telemetry);
    // Without a sink the builder's level applies.
    let telemetry = quiet().level("info").install().expect("the only one");
    issue(0..8);
    assert_eq!(telemetry.flush_blocking(LONG).stats.filtered, 8 * 2 - 2);
    finish(telemetry);
}

#[test]
fn a_sink_alone_is_offered_what_it_takes_and_nothing_besides() {
    let _turn = turn();
    let of_lines = Memory::named("lines").needs(Needs::default().with_only_log_lines_and_scores());
    let of_counts = Memory::named("counts").needs(Needs::default().with_only_counts());
    for (sink, scores) in [(of_lines, 1), (of_counts, 0)] {
        let telemetry = quiet().level("info").sink(sink.clone()).install().expect("the only one");
        RequestContext::new().sync_scope(|| {
            let _ = look_up(4, "a shelf");
            assert!(Score::number("faithfulness", 0.83).record());
        });
        let report = telemetry.flush_blocking(LONG);
        assert!(report.complete, "{report}");
        let account = report.stats.sinks.first().expect("one");
        assert_eq!((account.accepted, account.delivered), (scores, scores), "{account:?}");
        assert_eq!(report.stats.filtered, 3 - scores, "nobody takes what stages recorded");
        finish(telemetry);
        let events: Vec<_> = sink.records().iter().map(Record::event).collect();
        assert!(events.iter().all(|event| [Event::Score, Event::Log].contains(event)), "{events:?}");
        assert!(!sink.minutes().is_empty(), "counts have no level");
    }
}

#[test]
fn a_failure_has_its_start_time_and_fields_although_its_start_is_hidden() {
    let _turn = turn();
    let (all, errors) = (Memory::named("all").level(Level::Debug), Memory::named("errors").level(Level::Error));
    let telemetry = quiet().sink(all.clone()).sink(errors.clone()).install().expect("the only one");
    issue([4]);
    finish(telemetry);
    let [failed] = &errors.records()[..] else { panic!("one record") };
    let text = |name| failed.field(name).and_then(Value::as_str).map(str::to_owned);
    assert_eq!(failed.field("number"), Some(&Value::from(4_u64)));
    assert_eq!(text("place").as_deref(), Some("a shelf"));
    let all = all.records();
    let is_start = |record: &&Record| record.span_id() == failed.span_id() && record.event() == Event::Started;
    let start = all.iter().find(is_start).expect("the other sink has it");
    let begun = failed.timestamp().minus(failed.duration().expect("an end has one"));
    assert!((start.timestamp().as_micros() - begun.as_micros()).abs() <= 1, "{begun:?}, {start:?}");
}

#[test]
fn a_sampler_holds_what_any_sink_takes_and_each_sink_gets_its_own_of_what_is_kept() {
    let _turn = turn();
    let all = Memory::named("all").level(Level::Debug);
    let (usual, errors) = (Memory::named("usual"), Memory::named("errors").level(Level::Error));
    let builder = quiet().sample(Sampler::ratio(0.0).keep_errors(true));
    let builder = [&all, &usual, &errors].into_iter().fold(builder, |builder, sink| builder.sink(sink.clone()));
    let telemetry = builder.install().expect("the only one");
    issue(0..400);
    let report = telemetry.flush_blocking(LONG);
    assert_balanced(&report.stats);
    assert_eq!((report.stats.sampled_out, report.stats.held), (300 * 4, 0));
    finish(telemetry);
    let stages = |memory: &Memory| memory.records().into_iter().filter(|record| record.stage().is_some()).count();
    assert_eq!([stages(&all), stages(&usual), stages(&errors)], [100 * 4, 100 * 3, 100]);
    let traces = |memory: &Memory| memory.records().iter().filter_map(Record::trace_id).collect::<BTreeSet<_>>();
    assert_eq!(traces(&errors), traces(&all));
}

/// Returns a sink at level WARN that accepts nothing.
fn down() -> impl ragtrace::Sink {
    struct AtWarn(Scripted);
    impl ragtrace::Sink for AtWarn {
        fn name(&self) -> &str {
            self.0.name()
        }

        fn level(&self) -> Option<Level> {
            Some(Level::Warn)
        }

        async fn deliver(&self, batch: &ragtrace::sink::Batch) -> Result<ragtrace::sink::Delivered, SinkError> {
            self.0.deliver(batch).await
        }
    }
    AtWarn(Scripted::new("warnings", |_| Reply::Fail(SinkError::park("nobody is there")), |_| ()))
}

#[test]
fn a_spool_has_of_each_sink_what_that_takes() {
    for durability in [Durability::Spill, Durability::Durable] {
        let _turn = turn();
        let folder = tempfile::tempdir().expect("a folder");
        let spooled = || quiet().level("info").spool(folder.path(), SpoolLimits::default()).durability(durability);
        let usual = Memory::named("usual");
        let telemetry = spooled().sink(down()).sink(usual.clone()).install().expect("the only one");
        issue(0..40);
        let report = telemetry.shutdown_blocking(LONG);
        assert!(report.complete, "{report}");
        assert_balanced(&report.stats);
        let warnings = report.stats.sink("warnings").expect("it was set up");
        // There may be the pipeline's own reports beside the failures.
        assert!(warnings.spooled >= 10 && warnings.spooled <= 12, "{warnings:?}");

        let warnings = Memory::named("warnings").level(Level::Warn);
        let telemetry =
            spooled().sink(warnings.clone()).sink(Memory::named("usual")).install().expect("the first is gone");
        ragtrace_tests::until("what was left to arrive", LONG, || {
            assert_balanced(&telemetry.stats());
            telemetry.flush_blocking(Duration::from_millis(50));
            counted(&warnings).iter().map(|(.., number)| number).sum::<usize>() >= 10
        });
        finish(telemetry);
        assert_eq!(counted(&warnings), [("look_up".to_owned(), Event::Failed, Level::Error, 10)]);
        assert_eq!(counted(&usual).len(), 3);
    }
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_all(&from, &to);
        } else {
            std::fs::copy(from, to).expect("copied");
        }
    }
}

#[traced_stage("levels.open", level = "debug")]
async fn open() {
    answer(4);
    std::future::pending::<()>().await;
}

#[test]
fn what_a_killed_process_held_comes_to_each_sink_by_its_level() {
    let _turn = turn();
    let (folder, left) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    // Errors are not kept by themselves, so everything is held. The record of what a dead process
    // held is an error.
    let sampler = Sampler::ratio(0.0).keep_errors(false).keep_slower_than(LONG);
    let levels = || (Memory::named("all").level(Level::Debug), Memory::named("errors").level(Level::Error));
    let start = |folder: &Path, sampler, (all, errors): (Memory, Memory)| {
        let builder = quiet().spool(folder, SpoolLimits::default()).durability(Durability::Durable);
        builder.sample(sampler).sink(all).sink(errors).install().expect("the only one")
    };
    let telemetry = start(folder.path(), sampler, levels());
    let mut run = Box::pin(RequestContext::new().scope(open()));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(run.as_mut().poll(&mut cx).is_pending());
    let report = telemetry.flush_blocking(LONG);
    assert!(report.complete && report.stats.held == 5, "{report:?}");
    copy_all(folder.path(), left.path());
    drop(run);
    telemetry.shutdown_blocking(LONG);

    let (all, errors) = levels();
    let telemetry = start(left.path(), Sampler::ratio(0.0).keep_errors(true), (all.clone(), errors.clone()));
    ragtrace_tests::until("what was held to arrive", LONG, || {
        assert_balanced(&telemetry.stats());
        telemetry.flush_blocking(Duration::from_millis(50));
        !errors.records().is_empty() && all.records().len() >= 5
    });
    finish(telemetry);
    assert_eq!(counted(&errors), [("look_up".to_owned(), Event::Failed, Level::Error, 1)]);
    assert_eq!(counted(&all).iter().map(|(.., number)| number).sum::<usize>(), 5);
}
