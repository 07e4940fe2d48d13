//! The layer beside others in a program's only subscriber, whose decisions about callsites are
//! cached. Each row is a process of its own.

use std::process::Command;

use ragtrace_tests_tracing::{Kept, Written, finish, quiet};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

/// The variable that names the row this program tests when it starts itself.
const ROW: &str = "COMPOSITION_ALONE_ROW";

/// The rows: the formatter's output, and the resulting records.
const ROWS: [(&str, &[&str], &[&str]); 11] = [
    ("fmt, ours", &ALL, &ALL),
    ("ours, fmt", &ALL, &ALL),
    ("fmt with a filter, ours", FROM_INFO, &ALL),
    ("ours, fmt with a filter", FROM_INFO, &ALL),
    ("fmt with an EnvFilter, ours", FROM_INFO, &ALL),
    ("fmt with a filter and then ours, joined", FROM_INFO, &ALL),
    // `and_then` over a registry passes on only the hint of the outer layer (tracing-subscriber
    // 0.3).
    ("ours and then fmt with a filter, joined", FROM_INFO, FROM_INFO),
    ("fmt(), ours", FROM_INFO, FROM_INFO),
    ("EnvFilter, fmt, ours", FROM_INFO, FROM_INFO),
    ("ours, EnvFilter, fmt", FROM_INFO, FROM_INFO),
    ("ours twice", &[], &ALL),
];

const ALL: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
const FROM_INFO: &[&str] = &["error", "warn", "info"];

fn main() {
    if let Ok(row) = std::env::var(ROW) {
        return play(&row);
    }
    for (row, written, recorded) in ROWS {
        let program = std::env::current_exe().expect("a path");
        let output = Command::new(program).env(ROW, row).output().expect("it starts");
        let (seen, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{row}: {told}");
        assert_eq!(seen, format!("{written:?} {recorded:?}\n"), "{row}");
    }
    println!("composition_alone: all of them as they should");
}

fn formatter<S: Subscriber + for<'a> LookupSpan<'a>>(written: &Written) -> impl Layer<S> + use<S> {
    fmt::layer().with_writer(written.clone()).with_ansi(false)
}

/// Sets a row's subscriber for the whole process, and prints the outcome of each event twice.
fn play(row: &str) {
    let written = Written::default();
    let info = LevelFilter::INFO;
    match row {
        "fmt, ours" => registry().with(formatter(&written)).with(ragtrace::layer()).init(),
        "ours, fmt" => registry().with(ragtrace::layer()).with(formatter(&written)).init(),
        "fmt with a filter, ours" => {
            registry().with(formatter(&written).with_filter(info)).with(ragtrace::layer()).init();
        }
        "ours, fmt with a filter" => {
            registry().with(ragtrace::layer()).with(formatter(&written).with_filter(info)).init();
        }
        "fmt with an EnvFilter, ours" => {
            let filter = EnvFilter::new("composition_alone=info");
            registry().with(formatter(&written).with_filter(filter)).with(ragtrace::layer()).init();
        }
        "fmt with a filter and then ours, joined" => {
            registry().with(formatter(&written).with_filter(info).and_then(ragtrace::layer())).init();
        }
        "ours and then fmt with a filter, joined" => {
            registry().with(ragtrace::layer().and_then(formatter(&written).with_filter(info))).init();
        }
        "fmt(), ours" => {
            fmt().with_writer(written.clone()).with_ansi(false).finish().with(ragtrace::layer()).init();
        }
        "EnvFilter, fmt, ours" => {
            registry().with(EnvFilter::new("info")).with(formatter(&written)).with(ragtrace::layer()).init();
        }
        "ours, EnvFilter, fmt" => {
            registry().with(ragtrace::layer()).with(EnvFilter::new("info")).with(formatter(&written)).init();
        }
        "ours twice" => registry().with(ragtrace::layer()).with(ragtrace::layer()).init(),
        row => panic!("no such row: {row}"),
    }
    // The span's fields are kept for lines after the installation.
    let early = tracing::info_span!("early", region = "eu");
    let kept = Kept::default();
    let telemetry = quiet().level("trace").sink(kept.clone()).install().expect("the only one");
    // The second time the cached decision of the first one is used.
    early.in_scope(events);
    early.in_scope(events);
    finish(telemetry);
    assert!(kept.lines().iter().all(|line| line.field("region") == Some(&"eu".into())));
    let text = written.text();
    let written: Vec<_> = text.lines().map(|line| line.rsplit(' ').next().unwrap_or_default()).collect();
    let recorded = kept.messages();
    let halves = (written.len() / 2, recorded.len() / 2);
    assert!(written[..halves.0] == written[halves.0..] && recorded[..halves.1] == recorded[halves.1..]);
    println!("{:?} {:?}", &written[..halves.0], &recorded[..halves.1]);
}

fn events() {
    tracing::error!("error");
    tracing::warn!("warn");
    tracing::info!("info");
    tracing::debug!("debug");
    tracing::trace!("trace");
}
