//! Records very many runs into a real store through a process that is killed repeatedly: everything
//! that a flush has confirmed is there, nothing is there twice, and neither are its counts.
//!
//! Usage: `soak STORE RECORDS KILLS`, with `sqlite` or `postgres` as the store; `scripts/soak` runs
//! it over both.

// Its server is watched over by a shell.
#[cfg(unix)]
#[path = "../support/cluster.rs"]
#[expect(dead_code, reason = "shared with the tests of the sinks, which use more of it")]
mod cluster;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

#[cfg(unix)]
use cluster::Cluster;
use ragtrace::sink::BoxSink;
use ragtrace::{Console, Durability, SpoolLimits};
use ragtrace_sinks::store::{self, LogFilter, Window};
use ragtrace_sinks::{PostgresSink, SqliteSink};
use ragtrace_tests::{Trace, issue};

type Failure = Box<dyn std::error::Error>;

/// The number of runs between two flushes.
const RUNS_A_FLUSH: u64 = 500;
/// The number of rows that are read at once.
const PAGE: usize = 20_000;

/// Runs the process that is killed: it records, and prints up to where everything is safe.
fn child(store: &str, spool: &Path, runs: std::ops::Range<u64>) -> Result<(), Failure> {
    let sink = match store.strip_prefix("sqlite:") {
        Some(path) => BoxSink::new(SqliteSink::new(path)),
        None => BoxSink::new(PostgresSink::new(store)),
    };
    let builder = ragtrace::builder().console(Console::Off).spool(spool, SpoolLimits::default());
    let telemetry = builder.durability(Durability::Durable).sinks([sink]).install()?;
    let mut number = runs.start;
    while number < runs.end {
        let some = (number + RUNS_A_FLUSH).min(runs.end);
        (number..some).for_each(issue);
        number = some;
        let report = telemetry.flush_blocking(Duration::from_mins(1));
        if !report.complete {
            return Err(format!("a flush is not complete: {report}").into());
        }
        // If the parent is gone, nobody reads this.
        let _ = writeln!(std::io::stdout(), "{number}");
    }
    let report = telemetry.shutdown_blocking(Duration::from_mins(10));
    let is_delivered = report.complete && report.stats.sinks.iter().all(|sink| sink.spooled == 0);
    if is_delivered { Ok(()) } else { Err(format!("not all is delivered: {report}").into()) }
}

/// A child and its output.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(store: &str, spool: &Path, runs: std::ops::Range<u64>) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["child", store]).arg(spool).args([runs.start, runs.end].map(|number| number.to_string()));
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("its output is piped")?);
        Ok(Self { child, lines })
    }

    /// Returns the number below which all runs are safe, once the child has printed it, or `None`
    /// at its end.
    fn safe(&mut self) -> Result<Option<u64>, Failure> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line)?;
        Ok(if read > 0 { Some(line.trim().parse()?) } else { None })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The child may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Records `runs` runs through processes of which `kills` are killed, and returns those that were
/// reported as safe.
fn record(store: &str, spool: &Path, runs: u64, kills: u64) -> Result<Vec<std::ops::Range<u64>>, Failure> {
    let (mut safe_runs, mut from, mut done) = (Vec::new(), 0, 0);
    for kill in 1..=kills {
        let target = from + (runs * kill / (kills + 1)).saturating_sub(done).max(1);
        let mut running = Running::start(store, spool, from..u64::MAX)?;
        let mut safe = from;
        while safe < target {
            safe = running.safe()?.ok_or("a child ended before it was killed")?;
        }
        std::thread::sleep(Duration::from_micros(fastrand::u64(..60_000)));
        running.child.kill()?;
        while let Ok(Some(more)) = running.safe() {
            safe = more;
        }
        done += safe - from;
        safe_runs.push(from..safe);
        // Later runs that the killed process had begun may arrive or not.
        from = safe + RUNS_A_FLUSH;
        println!("{kill} of {kills} killed, {done} of {runs} runs are safe");
    }
    let last = from..from + runs.saturating_sub(done);
    let mut running = Running::start(store, spool, last.clone())?;
    while running.safe()?.is_some() {}
    let ended = running.child.wait()?;
    if !ended.success() {
        return Err(format!("the last child failed: {ended}").into());
    }
    safe_runs.push(last);
    Ok(safe_runs)
}

/// Counts how often each record is in the store.
async fn arrived(url: &str) -> Result<HashMap<Trace, u32>, Failure> {
    let store = store::open(url).await?;
    let (mut arrived, mut position) = (HashMap::new(), None);
    loop {
        let filter = LogFilter::new().stage("issued").limit(PAGE);
        let filter = position.into_iter().fold(filter, LogFilter::after);
        let rows = store.logs(filter).await?;
        for trace in rows.iter().filter_map(|row| Trace::of(row.record())) {
            *arrived.entry(trace).or_insert(0) += 1;
        }
        match rows.last() {
            Some(last) => position = Some(last.position()),
            None => return Ok(arrived),
        }
    }
}

async fn counted(url: &str) -> Result<u64, Failure> {
    let stats = store::open(url).await?.stage_stats(Window::last(Duration::from_hours(48))).await?;
    Ok(stats.iter().filter(|stats| stats.stage() == "issued").map(store::StageStats::runs).sum())
}

/// Records into the store at `url`, and compares what arrived with what was safe.
fn soak(url: &str, spool: &Path, records: u64, kills: u64) -> Result<(), Failure> {
    let begin = Instant::now();
    let safe = record(url, spool, records.div_ceil(2), kills)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (arrived, counted) =
        runtime.block_on(async { Ok::<_, Failure>((arrived(url).await?, counted(url).await?)) })?;
    let numbers = || safe.iter().flat_map(Clone::clone);
    let wanted = || numbers().flat_map(|number| [false, true].map(|is_end| Trace { number, is_end }));
    let missing = wanted().filter(|trace| !arrived.contains_key(trace)).count();
    let twice = arrived.values().filter(|times| **times > 1).count();
    let (safe, ends) = (numbers().count() as u64, arrived.keys().filter(|trace| trace.is_end).count() as u64);
    println!(
        "{} records were safe, {} arrived, {missing} are missing, {twice} are there twice; {counted} runs are counted; {kills} kills, {:?}",
        safe * 2,
        arrived.len(),
        begin.elapsed(),
    );
    // The counts of a killed process are lost with its unflushed records, and so may be records
    // that were counted.
    let are_counts_right = counted >= safe && counted <= ends + kills * RUNS_A_FLUSH;
    if missing == 0 && twice == 0 && are_counts_right {
        Ok(())
    } else {
        Err("something is lost, or there twice".into())
    }
}

fn run() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let folder = tempfile::tempdir()?;
    let spool = folder.path().join("spool");
    match args[..] {
        ["child", store, spool, from, to] => child(store, Path::new(spool), from.parse()?..to.parse()?),
        ["sqlite", records, kills] => {
            let url = format!("sqlite:{}", folder.path().join("ragtrace.db").display());
            soak(&url, &spool, records.parse()?, kills.parse()?)
        }
        #[cfg(unix)]
        ["postgres", records, kills] => {
            let cluster = Cluster::start("-c fsync=on -c synchronous_commit=on");
            soak(&cluster.database(), &spool, records.parse()?, kills.parse()?)
        }
        _ => Err("usage: soak sqlite|postgres RECORDS KILLS".into()),
    }
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
