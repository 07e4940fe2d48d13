//! The process that the chaos tests start and kill.
//!
//! `issue` records runs and prints how far a flush has come; `drain` delivers the contents of the
//! spool. The first arguments are settings, see [`Settings::parse`].

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use ragtrace::sink::{BoxSink, JsonLines};
use ragtrace::spool::WhenFull;
use ragtrace::{Console, Durability, Sampler, SpoolLimits, Telemetry, traced_stage};
use ragtrace_sinks::OtlpSink;
use ragtrace_tests::{FileSink, Manner, issue};

struct Settings {
    work: String,
    spool: PathBuf,
    file: PathBuf,
    manner: Manner,
    durability: Durability,
    /// The number of the first run. `runs` is the number of runs.
    from: u64,
    runs: u64,
    spool_bytes: u64,
    when_full: WhenFull,
    sampler: Sampler,
}

impl Settings {
    fn parse() -> Result<Self, String> {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [work, spool, file, manner, durability, from, runs, spool_bytes, when_full, sampler] = &args[..] else {
            return Err(format!("ten arguments are needed, not {args:?}"));
        };
        let number = |text: &String| text.parse::<u64>().map_err(|error| error.to_string());
        Ok(Self {
            work: work.clone(),
            spool: spool.into(),
            file: file.into(),
            manner: manner.parse()?,
            durability: if durability == "durable" { Durability::Durable } else { Durability::Spill },
            from: number(from)?,
            runs: number(runs)?,
            spool_bytes: number(spool_bytes)?,
            when_full: if when_full == "newest" { WhenFull::DropNewest } else { WhenFull::DropOldest },
            sampler: match sampler.as_str() {
                "errors" => Sampler::ratio(0.0),
                "slow" => Sampler::ratio(0.0).keep_errors(false).keep_slower_than(Duration::from_hours(1)),
                _ => Sampler::all(),
            },
        })
    }

    fn install(&self) -> Result<Telemetry, String> {
        let limits = SpoolLimits::default().with_bytes(self.spool_bytes).with_when_full(self.when_full);
        ragtrace::builder()
            .console(Console::Off)
            .spool(&self.spool, limits)
            .durability(self.durability)
            .sample(self.sampler)
            .sink(FileSink::new(&self.file, self.manner))
            .sinks(over_otlp()?)
            .install()
            .map_err(|error| error.to_string())
    }
}

/// Returns the sinks from the variables: spans for the receiver at `CHAOS_OTLP_URL`, and the
/// records themselves as lines of the file `CHAOS_LINES`.
fn over_otlp() -> Result<Vec<BoxSink>, String> {
    let (Ok(url), Ok(lines)) = (std::env::var("CHAOS_OTLP_URL"), std::env::var("CHAOS_LINES")) else {
        return Ok(Vec::new());
    };
    let file = File::options().create(true).append(true).open(lines).map_err(|error| error.to_string())?;
    let otlp = OtlpSink::new(&url).timeout(Duration::from_secs(2));
    Ok(vec![BoxSink::new(otlp), BoxSink::new(JsonLines::new(file))])
}

fn say(words: &str) {
    // If the parent is gone, nobody reads this.
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// Prints after each complete flush which runs are safe. After an incomplete flush it flushes no
/// more.
struct Progress<'a> {
    telemetry: &'a Telemetry,
    is_safe: bool,
}

impl Progress<'_> {
    fn flush(&mut self, number: u64) {
        self.is_safe = self.is_safe && self.telemetry.flush_blocking(Duration::from_secs(5)).complete;
        if self.is_safe {
            say(&format!("safe {number}"));
        }
    }
}

/// Records runs, some at a time.
fn record(settings: &Settings, progress: &mut Progress<'_>) {
    let (mut number, end) = (settings.from, settings.from + settings.runs);
    while number < end {
        let some = (number + 25).min(end);
        (number..some).for_each(issue);
        number = some;
        progress.flush(number);
    }
}

/// The root stage of a trace.
#[traced_stage]
fn traced(body: impl FnOnce() -> Result<(), std::fmt::Error>) -> Result<(), std::fmt::Error> {
    body()
}

/// Records runs in traces that are open for several flushes and fail in the end. The sampler holds
/// them until then.
fn record_traces(settings: &Settings, progress: &mut Progress<'_>) {
    let (mut number, end) = (settings.from, settings.from + settings.runs);
    while number < end {
        let failed = traced(|| {
            for _ in 0..3 {
                let some = (number + 10).min(end);
                (number..some).for_each(issue);
                number = some;
                progress.flush(number);
            }
            Err(std::fmt::Error)
        });
        debug_assert!(failed.is_err(), "that it fails is the point of it");
        progress.flush(number);
    }
}

fn run() -> Result<(), String> {
    let settings = Settings::parse()?;
    let telemetry = settings.install()?;
    let mut progress = Progress { telemetry: &telemetry, is_safe: true };
    // The child waits until it is killed, or its standard input ends.
    let wait = || {
        say("holding");
        let _ = std::io::read_to_string(std::io::stdin());
    };
    let mut patience = Duration::from_secs(5);
    match settings.work.as_str() {
        "issue" => record(&settings, &mut progress),
        "traces" => record_traces(&settings, &mut progress),
        // The shutdown delivers the contents of the spool.
        "drain" => patience = Duration::from_mins(1),
        "hold" => {
            record(&settings, &mut progress);
            wait();
        }
        "twice" => {
            record(&settings, &mut progress);
            wait();
            record(&Settings { from: settings.from + settings.runs, ..settings }, &mut progress);
        }
        "hold-open" => traced(|| {
            record(&settings, &mut progress);
            wait();
            Ok(())
        })
        .map_err(|error| error.to_string())?,
        other => return Err(format!("no such work: {other}")),
    }
    let report = telemetry.shutdown_blocking(patience);
    let sink = &report.stats.sinks[0];
    let balanced = report.stats.sinks.iter().all(ragtrace::SinkStats::is_balanced);
    say(&format!(
        "end complete={} balanced={balanced} accepted={} recovered={} delivered={} spooled={} dropped={} sampled_out={}",
        report.complete,
        sink.accepted,
        sink.recovered,
        sink.delivered,
        sink.spooled,
        sink.dropped,
        report.stats.sampled_out
    ));
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
