//! Stages call no observer while nothing listens to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ragtrace::{NamedStage, StageKind, testing, traced_stage};
use ragtrace_core::context::Request;
use ragtrace_core::entry::Run;
use ragtrace_core::observer::{self, Observer};
use ragtrace_core::value::FieldBuffer;
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// An observer that is never active itself. It is called for runs while another observer is active.
struct Idle(AtomicUsize);

impl Observer for Idle {
    fn began(&self, _: &Arc<Request>, _: &Run, _: &FieldBuffer) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

static IDLE: Idle = Idle(AtomicUsize::new(0));

#[traced_stage(target = "rag")]
fn stage() {}

/// Returns `true` if observers are called for a run.
fn is_heard() -> bool {
    let before = IDLE.0.load(Ordering::Relaxed);
    let ((), captured) = testing::capture_sync(stage);
    assert_eq!(captured.stage("stage").completed().len(), 1);
    IDLE.0.load(Ordering::Relaxed) != before
}

fn quiet()
-> fmt::Layer<tracing_subscriber::Registry, fmt::format::DefaultFields, fmt::format::Format, fn() -> std::io::Sink> {
    fmt::layer().with_writer(std::io::sink as fn() -> std::io::Sink)
}

#[test]
fn runs_are_told_only_while_a_subscriber_wants_stages_and_something_in_it_listens() {
    assert!(observer::add_idle(&IDLE));
    // With only one dispatcher, a callsite that is made later asks the thread's own, and there is
    // none here.
    let _second = Dispatch::new(registry().with(LevelFilter::OFF));
    assert!(!is_heard());

    let not_part_of_a_subscriber = ragtrace::layer();
    assert!(!is_heard());
    drop(not_part_of_a_subscriber);

    let without = Dispatch::new(registry().with(quiet()));
    assert!(!is_heard());
    let not_mirrored = Dispatch::new(registry().with(quiet()).with(ragtrace::layer().mirror_stages(false)));
    assert!(!is_heard());
    drop((without, not_mirrored));

    let all_off = Dispatch::new(registry().with(quiet()).with(EnvFilter::new("off")).with(ragtrace::layer()));
    assert!(!is_heard());
    drop(all_off);

    let jobs_alone = EnvFilter::new("off,ragtrace::named=info");
    let of_jobs = Dispatch::new(registry().with(quiet()).with(jobs_alone).with(ragtrace::layer()));
    assert!(!is_heard());
    // The first stage with this name is known to subscribers that existed before it.
    NamedStage::new("job", StageKind::Pipeline).expect("there is room");
    assert!(is_heard());
    drop(of_jobs);

    // A filter that only lets failures through is a listener too.
    let failures = Dispatch::new(registry().with(quiet()).with(EnvFilter::new("error")).with(ragtrace::layer()));
    assert!(is_heard());
    drop(failures);
    assert!(!is_heard());

    let all = Dispatch::new(registry().with(quiet()).with(ragtrace::layer()));
    let another = Dispatch::new(registry().with(ragtrace::layer()));
    assert!(is_heard());
    drop(all);
    assert!(is_heard());
    drop(another);
    assert!(!is_heard());
}
