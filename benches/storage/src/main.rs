//! Measures the speed of writing records to PostgreSQL and reading them. `run` starts a server for
//! it.
//!
//! - `throughput RECORDS`: the pipeline, `psql \copy` of the same rows into the same table, inserts
//!   of single rows, and other ways of writing a batch.
//! - `pipeline RECORDS`: only the pipeline, so that two versions can alternate.
//! - `embedded RECORDS`: the pipeline with an SQLite file.
//! - `latency SECONDS`: the time from a stage's end until its record is visible, at 1,000 records a
//!   second.
//! - `reads ROWS`: queries over ten days of traces of 20 records, as owner and as a tenant's
//!   reader. Its parts are `fill ROWS DAY` for the days 0 to 9, `finish` and `queries`; `traces`
//!   runs only the first of the queries.
//! - `small`: all of these in seconds, to check that they work.

mod embedded;
mod latency;
mod reads;
mod throughput;
mod write_methods;

use std::process::Command;
use std::time::Duration;

/// Returns the URL of the server that `scripts/with-postgres` has started.
pub fn url() -> String {
    std::env::var("RAGTRACE_TEST_POSTGRES").expect("run it by benches/storage/run")
}

/// Runs SQL in the schema `ragtrace` with `psql`, and returns its output.
pub fn psql(sql: &str) -> String {
    let sql = format!("SET search_path = ragtrace;\n{sql}\n");
    let mut psql = Command::new("psql");
    // Connects over TCP, as the pipeline does.
    psql.env("PGHOST", "127.0.0.1");
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", "postgres"]);
    let mut child =
        psql.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().expect("psql runs");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), sql.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "psql failed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Returns the quantile `q` of sorted times.
pub fn quantile(sorted: &[Duration], q: f64) -> Duration {
    let at = (sorted.len() as f64 * q) as usize;
    sorted[at.min(sorted.len() - 1)]
}

/// A line of the printed table.
pub struct Line {
    what: String,
    figure: String,
    wanted: &'static str,
}

impl Line {
    pub fn new(what: impl Into<String>, figure: impl Into<String>) -> Self {
        Self { what: what.into(), figure: figure.into(), wanted: "" }
    }

    /// Sets the target for the figure.
    pub fn wanted(mut self, wanted: &'static str) -> Self {
        self.wanted = wanted;
        self
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let mut number = || arguments.next().and_then(|number| number.parse().ok());
    let (number, only): (_, Option<u64>) = (number(), number());
    let lines = match mode.as_str() {
        "throughput" => throughput::run(number.unwrap_or(1_000_000)),
        "pipeline" => throughput::measure_pipeline(number.unwrap_or(200_000)),
        "embedded" => embedded::run(number.unwrap_or(200_000)),
        "latency" => latency::run(number.unwrap_or(20)),
        "reads" => reads::run(number.unwrap_or(10_000_000)),
        // The parts of `reads`, so that none of them occupies a shared machine for long.
        "fill" => {
            (0..10)
                .filter(|day| only.is_none_or(|only| only == *day))
                .for_each(|day| reads::fill(day, number.unwrap_or(10_000_000)));
            return;
        }
        "finish" => return reads::finish(10),
        "queries" => reads::measure_all(),
        "traces" => reads::measure_traces(),
        "small" => {
            let mut lines = throughput::run(20_000);
            lines.extend(latency::run(2));
            psql("TRUNCATE logs, request_metrics, stage_minutes, stage_hours");
            lines.extend(reads::run(20_000));
            lines
        }
        _ => panic!("give throughput, latency, reads or small, and a number"),
    };
    println!("| what | measured | wanted |\n| --- | --- | --- |");
    for Line { what, figure, wanted } in lines {
        // Results of an unoptimized build are not compared with targets.
        let wanted = if mode == "small" { "" } else { wanted };
        println!("| {what} | {figure} | {wanted} |");
    }
}
