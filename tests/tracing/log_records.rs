//! Lines of the crate `log`, which a `LogTracer` forwards to `tracing`, and copies of events among
//! them.

use ragtrace::testing::capture_sync;
use ragtrace::{Level, Record, Value};
use ragtrace_tests_tracing::{Kept, finish, quiet, turn};
use tracing_subscriber::prelude::*;

/// Makes this process log through `tracing`, as `tracing_subscriber`'s `init()` does.
fn subscribe() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(ragtrace::layer()))
            .expect("the first");
        tracing_log::LogTracer::init().expect("the first");
    });
}

fn lines(work: impl FnOnce()) -> Vec<Record> {
    subscribe();
    let ((), captured) = capture_sync(work);
    captured.logs().cloned().collect()
}

#[test]
fn a_line_has_its_own_target_level_message_and_place() {
    let _turn = turn();
    let lines = lines(|| {
        let span = tracing::info_span!("around", job = 7);
        span.in_scope(|| log::warn!(target: "old::library", "{} rows", 3));
        log::debug!("from here");
    });
    let [warning, debug] = &lines[..] else { panic!("two lines: {lines:?}") };
    assert_eq!((warning.logger(), warning.level(), warning.message()), ("old::library", Level::Warn, "3 rows".into()));
    let (file, line) = warning.source().expect("a place");
    assert!(file.ends_with("log_records.rs") && line > 20, "{file}:{line}");
    assert_eq!(warning.context().collect::<Vec<_>>(), [("job", &Value::from(7_u64))]);
    assert_eq!((debug.logger(), debug.level()), ("log_records", Level::Debug));
}

#[test]
fn lines_are_judged_by_their_own_target() {
    let _turn = turn();
    subscribe();
    let (kept, errors) = (Kept::default(), Kept::named("errors").level(Level::Error));
    let builder = quiet().level("info,old::library=warn,new=trace");
    let telemetry = builder.sink(kept.clone()).sink(errors.clone()).install().expect("the only one");
    log::info!(target: "old::library::pool", "hidden");
    log::warn!(target: "old::library", "shown");
    log::trace!(target: "new", "shown in detail");
    log::info!(target: "log", "of a target with the name of the crate");
    log::debug!("hidden");
    finish(telemetry);
    assert_eq!(kept.messages(), ["shown", "shown in detail", "of a target with the name of the crate"]);
    assert!(errors.messages().is_empty());
}

#[test]
fn fields_of_spans_say_nothing_of_a_lines_place() {
    let _turn = turn();
    let lines = lines(|| {
        let span = tracing::info_span!("upload", log.target = "audit", log.line = 1, log.id = 7);
        span.in_scope(|| log::info!("done"));
    });
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    assert_eq!((line.logger(), line.field("log.target")), ("log_records", Some(&"audit".into())));
    assert_eq!(line.field("log.id"), Some(&Value::from(7_u64)));
    assert!(line.source().is_some_and(|(_, at)| at > 20), "{line:?}");
}

#[test]
fn targets_and_files_that_are_known_at_run_time_are_redacted_and_cut() {
    let _turn = turn();
    subscribe();
    let kept = Kept::default();
    let telemetry = quiet().sink(kept.clone()).install().expect("the only one");
    let secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH";
    log::warn!(target: &format!("tenant/{secret}"), "of a secret target");
    log::logger().log(
        &log::Record::builder()
            .level(log::Level::Warn)
            .target(&"t".repeat(20_000))
            .file(Some(&format!("/{secret}/{}", "f".repeat(20_000))))
            .line(Some(7))
            .args(format_args!("of a long one"))
            .build(),
    );
    finish(telemetry);
    let lines = kept.lines();
    let [of_secret, long] = &lines[..] else { panic!("two lines: {lines:?}") };
    assert!(of_secret.logger().starts_with("tenant/") && !of_secret.logger().contains(secret), "{of_secret:?}");
    let (file, line) = long.source().expect("a place");
    assert!(!file.contains(secret) && file.len() < 10_000 && line == 7, "{} bytes", file.len());
    assert!(long.logger().len() < 10_000, "{} bytes", long.logger().len());
}

#[test]
fn lines_that_nobody_reads_are_counted_whatever_their_target() {
    // This blocks the worker, so that the time for the shutdown is over before the queue is read.
    struct Stuck;
    impl ragtrace::Sink for Stuck {
        fn name(&self) -> &'static str {
            "stuck"
        }
        async fn deliver(
            &self,
            _: &ragtrace::sink::Batch,
        ) -> Result<ragtrace::sink::Delivered, ragtrace::sink::SinkError> {
            std::future::pending().await
        }
    }
    let _turn = turn();
    subscribe();
    let telemetry = quiet().level("off,old::library=info").sink(Stuck).install().expect("the only one");
    for _ in 0..50 {
        log::info!(target: "old::library", "a line");
    }
    let report = telemetry.shutdown_blocking(std::time::Duration::ZERO);
    let sent: u64 = report.stats.sinks.iter().map(|sink| sink.dropped).sum();
    assert_eq!(sent + report.stats.dropped.total(), 50, "{report}");
}

/// Writes to `log` what `tracing` writes with its feature `log-always`, for the place that `$place`
/// names.
macro_rules! copy {
    ($level:ident, $target:expr, $line:expr, $($text:tt)*) => {
        log::logger().log(
            &log::Record::builder()
                .level(log::Level::$level)
                .target($target)
                .module_path(Some(module_path!()))
                .file(Some(file!()))
                .line(Some($line))
                .args(format_args!($($text)*))
                .build(),
        )
    };
}

#[test]
fn a_copy_of_an_event_is_passed_over() {
    let _turn = turn();
    let lines = lines(|| {
        let event = line!() + 1;
        tracing::info!(rows = 3, "an event");
        copy!(Info, "log_records", event, "an event rows=3");
        let made = line!() + 1;
        let span = tracing::info_span!("span", rows = 3);
        copy!(Info, "log_records", made, "++ span; rows=3");
        let entered = span.enter();
        copy!(Trace, "tracing::span::active", made, "-> span;");
        log::info!("a line of its own");
        drop(entered);
        copy!(Trace, "tracing::span::active", made, "<- span;");
        copy!(Trace, "tracing::span", made, "-- span;");
    });
    assert_eq!(lines.iter().map(Record::message).collect::<Vec<_>>(), ["an event", "a line of its own"]);
}
