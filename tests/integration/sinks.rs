//! The contract of a sink, as its author sees it.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, BoxSink, Delivered, Needs, SinkError, Verdict};
use ragtrace::spool::DeadLetters;
use ragtrace::{Level, Sink, SpoolLimits, Value, traced_stage};
use ragtrace_tests::{Reply, Scripted};
use uuid::Uuid;

use crate::support::{Memory, finish, quiet, turn};

#[traced_stage]
fn task() {}

/// A sink that answers every call with something other than the default, and remembers the calls.
#[derive(Clone, Default)]
struct Witness {
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl Witness {
    fn called(&self, what: &'static str) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

impl Sink for Witness {
    fn name(&self) -> &'static str {
        self.called("name");
        "witness"
    }

    fn limits(&self) -> BatchLimits {
        self.called("limits");
        BatchLimits::default().with_records(7)
    }

    fn level(&self) -> Option<Level> {
        self.called("level");
        Some(Level::Warn)
    }

    fn needs(&self) -> Needs {
        self.called("needs");
        Needs::default().with_all_end_records()
    }

    async fn deliver(&self, _: &Batch) -> Result<Delivered, SinkError> {
        self.called("deliver");
        Err(SinkError::park("witnessed"))
    }

    async fn check(&self) -> Result<String, SinkError> {
        self.called("check");
        Ok("witnessed".to_owned())
    }

    async fn close(&self) {
        self.called("close");
    }
}

async fn call_all(sink: impl Sink) {
    assert_eq!(sink.name(), "witness");
    assert_eq!(sink.limits().records, 7);
    assert_eq!(sink.level(), Some(Level::Warn));
    assert!(sink.needs().all_end_records());
    let error = sink.deliver(&Batch::new(Uuid::nil(), [])).await.expect_err("it takes nothing");
    assert_eq!((error.verdict(), error.to_string().as_str()), (Verdict::Park, "witnessed"));
    assert_eq!(sink.check().await.ok().as_deref(), Some("witnessed"));
    sink.close().await;
}

#[tokio::test]
async fn a_sink_behind_a_pointer_is_asked_everything_itself() {
    let witness = Witness::default();
    call_all(BoxSink::new(witness.clone())).await;
    call_all(Arc::new(witness.clone())).await;
    call_all(BoxSink::new(Arc::new(BoxSink::new(witness.clone())))).await;
    let calls = witness.calls.lock().unwrap_or_else(PoisonError::into_inner);
    let each = ["name", "limits", "level", "needs", "deliver", "check", "close"];
    assert_eq!(*calls, each.repeat(3));
}

/// An error with a source.
#[derive(Debug)]
struct Refused(std::io::Error);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the batch was refused")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn refused() -> Refused {
    Refused(std::io::Error::other("password=planted is wrong"))
}

#[test]
fn an_error_keeps_its_sources_and_does_not_repeat_them() {
    for error in [SinkError::retry(refused()), SinkError::rejected(refused()).clone()] {
        assert_eq!(error.to_string(), "the batch was refused");
        let source = error.source().expect("it has one");
        assert_eq!(source.to_string(), "password=planted is wrong");
        assert!(source.is::<std::io::Error>());
        assert_eq!(error.reason(), "the batch was refused: password=planted is wrong");
    }
    let texts = [SinkError::park("a text"), SinkError::park("a text".to_owned())];
    assert!(texts.iter().all(|error| error.reason() == "a text" && error.source().is_none()));
}

#[test]
fn reports_and_dead_letters_say_the_whole_chain_without_secrets() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let memory = Memory::default();
    let failing = Scripted::new(
        "failing",
        |attempt| {
            let error = if attempt.before == 0 { SinkError::retry(refused()) } else { SinkError::rejected(refused()) };
            Reply::Fail(error)
        },
        |_| (),
    );
    let spooled = quiet().spool(folder.path(), SpoolLimits::default());
    let telemetry = spooled.sink(memory.clone()).sink(failing.with_limits(one_by_one())).install().expect("the only");
    task();
    let is_told = |record: &ragtrace::Record| record.message() == "ragtrace_shipping_failed";
    ragtrace_tests::until("the failure to be told and the records to be dead", Duration::from_secs(30), || {
        telemetry.flush_blocking(Duration::from_secs(1));
        let dead = telemetry.stats().sink("failing").is_some_and(|sink| sink.dead_lettered >= 2);
        dead && memory.records().iter().any(is_told)
    });
    let records = memory.records();
    let reason = records.iter().find(|record| is_told(record)).and_then(|record| record.field("reason"));
    let told = "the batch was refused: password=[redacted] is wrong";
    assert_eq!(reason.and_then(Value::as_str), Some(told));
    telemetry.shutdown_blocking(Duration::from_secs(5));
    let letters = DeadLetters::new(folder.path()).read().expect("readable");
    assert!(letters.len() >= 2 && letters.iter().all(|letter| letter.reason() == told), "{letters:?}");
    finish(quiet().install().expect("the first is gone"));
}

fn one_by_one() -> BatchLimits {
    BatchLimits::default().with_records(1)
}
