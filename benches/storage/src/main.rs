//! How fast PostgreSQL takes records in and gives them back. `run` starts a server for it.
//!
//! - `throughput RECORDS`: our pipeline, `psql \copy` of the very same rows into the same table, and a row at a time.
//! - `latency SECONDS`: from a stage's end to its visibility, at 1,000 records a second.
//! - `reads ROWS`: queries over ten days of traces of 20 records, as owner and as a tenant's reader.

mod latency;
mod reads;
mod throughput;

use std::process::Command;
use std::time::Duration;

/// The server that `scripts/with-postgres` has started.
pub fn url() -> String {
    std::env::var("RAGTRACE_TEST_POSTGRES").expect("run it by benches/storage/run")
}

/// Runs SQL in our schema by `psql`, and gives what it prints.
pub fn psql(sql: &str) -> String {
    let sql = format!("SET search_path = ragtrace;\n{sql}\n");
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", "postgres"]);
    let mut child =
        psql.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().expect("psql runs");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), sql.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "psql failed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The share `q` of sorted times.
pub fn quantile(sorted: &[Duration], q: f64) -> Duration {
    let at = (sorted.len() as f64 * q) as usize;
    sorted[at.min(sorted.len() - 1)]
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let number = arguments.next().and_then(|number| number.parse().ok());
    match mode.as_str() {
        "throughput" => throughput::run(number.unwrap_or(1_000_000)),
        "latency" => latency::run(number.unwrap_or(20)),
        "reads" => reads::run(number.unwrap_or(10_000_000)),
        _ => panic!("give throughput, latency or reads, and a number"),
    }
}
