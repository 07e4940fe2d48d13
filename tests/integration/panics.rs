//! Panics on the pipeline's threads, which end none of these.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::panic_any;
use std::process::{Command, Stdio};
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, JsonLines, Needs, SinkError};
use ragtrace::{Durability, Level, Record, Redactor, RequestContext, Sink, SpoolLimits, Value, traced_stage};

use crate::support::{Memory, finish, quiet, turn};

#[traced_stage(fields(card))]
fn pay(card: &str) {
    let _ = card;
}

fn card(record: &Record) -> &str {
    record.field("card").and_then(Value::as_str).expect("a text")
}

/// A redaction that panics by cutting a card's number inside a character.
fn shortened(text: &str) -> Option<String> {
    text.strip_prefix("card ").map(|rest| format!("card {}…", &rest[..4]))
}

#[test]
fn a_text_over_which_a_rule_panics_becomes_the_mark_and_the_rest_goes_on() {
    let _turn = turn();
    let memory = Memory::default();
    let builder = quiet().redact(Redactor::new().rule(shortened)).sink(memory.clone());
    let telemetry = builder.install().expect("the only one");
    for number in 0..3_000 {
        pay(&if number == 1_000 { "card 123é5".to_owned() } else { format!("card {}", 100_000 + number) });
    }
    let stats = telemetry.stats();
    let flushed = telemetry.flush_blocking(Duration::from_secs(30));
    assert!(flushed.complete && flushed.stats.rule_panics > stats.rule_panics, "{flushed}");
    finish(telemetry);
    let records = memory.records();
    let paid: Vec<_> = records.iter().filter(|record| record.stage() == Some("pay")).map(card).collect();
    assert_eq!(paid.len(), 6_000);
    assert_eq!(paid.iter().filter(|card| **card == "[redacted]").count(), 2, "its start and its end");
    assert_eq!(paid.iter().filter(|card| card.starts_with("card 10") && card.ends_with('…')).count(), 5_998);
}

#[test]
fn a_rule_that_panics_is_told_once_with_its_place_and_without_the_text() {
    let test = "panics::a_text_over_which_a_rule_panics_becomes_the_mark_and_the_rest_goes_on";
    let program = std::env::current_exe().expect("this test");
    let output = Command::new(program).args(["--exact", test, "--nocapture"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("a redaction rule panicked once at ").count(), 1, "{said}");
    assert!(said.contains("panics.rs:") && !said.contains("123é5"), "{said}");
}

/// A value whose destructor panics with another such value.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

#[test]
fn rules_that_panic_over_everything_leave_marks_wherever_there_are_texts() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let memory = Memory::default();
    let redactor = Redactor::new().rule(|_| panic!("never")).rule(|_| panic_any(Bomb)).rule(|text| {
        pay("a stage of a rule");
        Some(text.to_owned())
    });
    let builder = quiet().spool(folder.path(), SpoolLimits::default()).durability(Durability::Durable);
    let telemetry = builder.redact(redactor).sink(memory.clone()).install().expect("the only one");
    let request = RequestContext::new().with_user_id("alice").with_tenant_id("acme");
    request.sync_scope(|| (0..100).for_each(|_| pay("any")));
    finish(telemetry);
    let records = memory.records();
    assert_eq!(records.len(), 200, "what a rule runs is not recorded");
    assert!(records.iter().all(|record| card(record) == "[redacted]" && record.user_id() == Some("[redacted]")));
    assert!(memory.minutes().iter().all(|minute| minute.tenant_id() == Some("[redacted]")));
}

/// The place at which a sink panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Call,
    Poll,
    LaterPoll,
    FutureDrop,
    FutureDropAfterAnswer,
    PayloadDrop,
    Display,
    DisplayError,
    Source,
    ErrorDrop,
    Close,
    SinkDrop,
}

const EVERYWHERE: [Where; 12] = [
    Where::Call,
    Where::Poll,
    Where::LaterPoll,
    Where::FutureDrop,
    Where::FutureDropAfterAnswer,
    Where::PayloadDrop,
    Where::Display,
    Where::DisplayError,
    Where::Source,
    Where::ErrorDrop,
    Where::Close,
    Where::SinkDrop,
];

struct Panicking(Where, String);

impl Drop for Panicking {
    fn drop(&mut self) {
        if self.0 == Where::SinkDrop {
            panic_any(Bomb);
        }
    }
}

/// An error that may panic when it is shown, asked for its source, or dropped.
#[derive(Debug)]
struct Treacherous(Where);

impl fmt::Display for Treacherous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Where::Display => panic_any(Bomb),
            Where::DisplayError => Err(fmt::Error),
            _ => f.write_str("treacherous"),
        }
    }
}

impl Error for Treacherous {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The error is its own source, without end.
        (self.0 == Where::Source).then_some(self)
    }
}

impl Drop for Treacherous {
    fn drop(&mut self) {
        assert_ne!(self.0, Where::ErrorDrop, "in the destructor of the error");
    }
}

impl Sink for Panicking {
    fn name(&self) -> &str {
        &self.1
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_age(Duration::from_millis(5))
    }

    fn deliver(&self, _: &Batch) -> impl Future<Output = Result<Delivered, SinkError>> + Send {
        assert_ne!(self.0, Where::Call, "in the call");
        async move {
            match self.0 {
                Where::Poll => panic!("in the first poll"),
                Where::LaterPoll => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    panic!("in a later poll")
                }
                Where::PayloadDrop => panic_any(Bomb),
                Where::FutureDrop => {
                    let _bomb = Bomb;
                    std::future::pending::<()>().await;
                }
                Where::FutureDropAfterAnswer => drop(Bomb),
                Where::Close | Where::SinkDrop => return Ok(Delivered::all()),
                Where::Call | Where::Display | Where::DisplayError | Where::Source | Where::ErrorDrop => {}
            }
            Err(SinkError::park(Treacherous(self.0)))
        }
    }

    async fn close(&self) {
        assert_ne!(self.0, Where::Close, "in the close");
    }
}

#[test]
fn a_sink_that_panics_wherever_it_may_takes_no_other_along() {
    for spools in [false, true] {
        let _turn = turn();
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::default();
        let mut builder = quiet().sink(memory.clone());
        // There are two of each, since a second panic during the unwinding of the first would end
        // the process.
        for (at, copy) in EVERYWHERE.iter().flat_map(|at| [(*at, 1), (*at, 2)]) {
            builder = builder.sink(Panicking(at, format!("{at:?}-{copy}")));
        }
        if spools {
            builder = builder.spool(folder.path(), SpoolLimits::default()).durability(Durability::Durable);
        }
        let telemetry = builder.install().expect("the only one");
        for round in 0..3 {
            (0..20).for_each(|_| pay("a card"));
            telemetry.flush_blocking(Duration::from_millis(300));
            let stats = telemetry.stats();
            assert!(stats.sinks.iter().all(ragtrace::SinkStats::is_balanced), "{round}: {stats:?}");
        }
        let report = telemetry.shutdown_blocking(Duration::from_secs(2));
        assert!(report.stats.sinks.iter().all(ragtrace::SinkStats::is_balanced), "{report}");
        let paid = memory.records().iter().filter(|record| record.stage() == Some("pay")).count();
        assert_eq!(paid, 120, "the sink that is well has all");
        for at in ["Close-1", "Close-2", "SinkDrop-1", "SinkDrop-2"] {
            let sink = report.stats.sink(at).expect("it was set up");
            assert!(sink.delivered >= 120 && sink.dropped == 0, "{sink:?}");
        }
    }
}

/// A sink that panics when it is asked for its settings.
struct Unsettled(&'static str);

impl Unsettled {
    fn asked(&self, what: &str) {
        assert_ne!(self.0, what, "it has none");
    }
}

impl Sink for Unsettled {
    fn name(&self) -> &'static str {
        self.asked("name");
        "unsettled"
    }

    fn limits(&self) -> BatchLimits {
        self.asked("limits");
        BatchLimits::default()
    }

    fn level(&self) -> Option<Level> {
        self.asked("level");
        None
    }

    fn needs(&self) -> Needs {
        self.asked("needs");
        Needs::default()
    }

    async fn deliver(&self, _: &Batch) -> Result<Delivered, SinkError> {
        Ok(Delivered::all())
    }
}

#[test]
fn a_sink_that_panics_over_its_settings_is_refused_and_leaves_nothing_behind() {
    let _turn = turn();
    for what in ["name", "limits", "level", "needs"] {
        let error = quiet().sink(Unsettled(what)).install().expect_err("it is refused");
        assert!(error.is_setting() && error.to_string().starts_with("a sink panicked when"), "{error}");
        finish(quiet().sink(Memory::default()).install().expect("nothing else is installed"));
    }
}

/// A writer that panics now and then.
struct Fragile(Vec<u8>, usize);

impl std::io::Write for Fragile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1 += 1;
        assert!(self.1 != 2, "the second write");
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_panics_once_gets_everything_in_the_end() {
    let _turn = turn();
    let telemetry = quiet().sink(JsonLines::new(Fragile(Vec::new(), 0))).install().expect("the only one");
    for _ in 0..3 {
        pay("a card");
        telemetry.flush_blocking(Duration::from_secs(30));
    }
    finish(telemetry);
}

/// A sink that accepts nothing, so that there is something to warn about.
struct Down;

impl Sink for Down {
    fn name(&self) -> &'static str {
        "down"
    }

    async fn deliver(&self, _: &Batch) -> Result<Delivered, SinkError> {
        Err(SinkError::retry("down"))
    }
}

/// The child writes more to its standard error than a pipe holds.
#[test]
fn a_console_beside_a_sink_that_fails_holds_up_no_other() {
    if std::env::var_os("CONSOLE_OF_A_CHILD").is_none() {
        return;
    }
    let _turn = turn();
    let memory = Memory::default();
    let builder = quiet().console(ragtrace::Console::Json).sink(Down).sink(memory.clone());
    let telemetry = builder.install().expect("the only one");
    (0..2_000).for_each(|_| pay("a card"));
    ragtrace_tests::until("the other sink to have all", Duration::from_mins(1), || memory.records().len() >= 4_000);
    println!("delivered all");
    let report = telemetry.shutdown_blocking(Duration::from_millis(200));
    assert!(report.stats.sinks.iter().all(ragtrace::SinkStats::is_balanced), "{report}");
    println!("and ended");
    // A write that waits for its reader would delay the end of the process.
    std::process::exit(0);
}

#[test]
fn a_stderr_that_is_gone_or_that_nobody_reads_holds_nobody_up() {
    for is_open in [false, true] {
        let program = std::env::current_exe().expect("this test");
        let mut command = Command::new(program);
        let test = "panics::a_console_beside_a_sink_that_fails_holds_up_no_other";
        command.args(["--exact", test, "--nocapture"]).env("CONSOLE_OF_A_CHILD", "1");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        // Every write to a closed pipe fails, and a full pipe accepts none.
        let unread = child.stderr.take().filter(|_| is_open);
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("delivered all") && said.contains("and ended"), "{said}");
        drop(unread);
    }
}
