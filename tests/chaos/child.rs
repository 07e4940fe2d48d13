//! The process that the chaos tests start and kill.
//!
//! `issue` records runs and says on stdout how far a flush has come; `drain` delivers what the spool holds. The first words
//! are settings, see [`Settings::parse`].

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ragtrace::spool::WhenFull;
use ragtrace::{Console, Durability, SpoolLimits, Telemetry};
use ragtrace_tests::{FileSink, Manner, issue};

struct Settings {
    work: String,
    spool: PathBuf,
    file: PathBuf,
    manner: Manner,
    durability: Durability,
    /// The number of the first run, and how many there are.
    from: u64,
    runs: u64,
    spool_bytes: u64,
}

impl Settings {
    fn parse() -> Result<Self, String> {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let [work, spool, file, manner, durability, from, runs, spool_bytes] = &words[..] else {
            return Err(format!("eight words are needed, not {words:?}"));
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
        })
    }

    fn install(&self) -> Result<Telemetry, String> {
        let limits = SpoolLimits::default().with_bytes(self.spool_bytes).with_when_full(WhenFull::DropOldest);
        ragtrace::builder()
            .console(Console::Off)
            .spool(&self.spool, limits)
            .durability(self.durability)
            .sink(FileSink::new(&self.file, self.manner))
            .install()
            .map_err(|error| error.to_string())
    }
}

fn say(words: &str) {
    // A parent that is gone needs no words.
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// Records runs, some at a time, and says after each flush that was complete which ones are safe now. After one that was
/// not it flushes no more.
fn record(settings: &Settings, telemetry: &Telemetry) {
    let (mut number, mut is_safe) = (settings.from, true);
    while number < settings.from + settings.runs {
        let some = (number + 25).min(settings.from + settings.runs);
        (number..some).for_each(issue);
        number = some;
        is_safe = is_safe && telemetry.flush_blocking(Duration::from_secs(5)).complete;
        if is_safe {
            say(&format!("safe {number}"));
        }
    }
}

/// Waits until nothing is left to deliver.
fn drain(telemetry: &Telemetry) -> Result<(), String> {
    let begin = Instant::now();
    let mut quiet_since = Instant::now();
    while quiet_since.elapsed() < Duration::from_millis(300) {
        let stats = telemetry.stats();
        if stats.sinks.iter().any(|sink| sink.pending + sink.spooled > 0) {
            quiet_since = Instant::now();
        }
        if begin.elapsed() > Duration::from_mins(1) {
            return Err(format!("the spool does not empty: {stats:?}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn run() -> Result<(), String> {
    let settings = Settings::parse()?;
    let telemetry = settings.install()?;
    match settings.work.as_str() {
        "issue" => record(&settings, &telemetry),
        "drain" => drain(&telemetry)?,
        // Until it is killed, or its stdin ends.
        "hold" => {
            record(&settings, &telemetry);
            say("holding");
            let _ = std::io::read_to_string(std::io::stdin());
        }
        other => return Err(format!("no such work: {other}")),
    }
    let report = telemetry.shutdown_blocking(Duration::from_secs(5));
    let sink = &report.stats.sinks[0];
    let balanced = report.stats.sinks.iter().all(ragtrace::SinkStats::is_balanced);
    say(&format!(
        "end complete={} balanced={balanced} accepted={} recovered={} delivered={} spooled={} dropped={}",
        report.complete, sink.accepted, sink.recovered, sink.delivered, sink.spooled, sink.dropped
    ));
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Somebody may have closed stderr.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
