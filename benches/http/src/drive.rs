//! Runs one server per way and round at a fixed rate, and prints the table.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::client::{Client, Pace};
use crate::processor;
use crate::table::{self, Sample};
use crate::way::{Account, Way};

/// Four times the number of connections that are busy at once at these rates.
const CONNECTIONS: usize = 128;

/// The durations for which each server receives requests, in seconds.
struct Length {
    warm_up: f64,
    measured: f64,
}

/// Measures every way in each round, and prints the table.
pub fn measure() -> Result<(), String> {
    let rounds = number("ROUNDS", 7.0)? as usize;
    let length = Length { warm_up: 1.5, measured: number("SECONDS", 6.0)? };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    if processors > 1 {
        processor::pin(&(processors - 1).to_string())?;
    }
    processor::precise_timers();
    let most = most()?;
    let rate = match number("RATE", 0.0)? {
        0.0 => (most / 2.0).round(),
        rate => rate,
    };
    eprintln!("the bare server answers {most:.0} requests a second at most; each is asked {rate:.0} times");
    let mut samples: BTreeMap<Way, Vec<Sample>> = BTreeMap::new();
    let mut ways = Way::ALL;
    for round in 1..=rounds {
        fastrand::shuffle(&mut ways);
        for way in ways {
            eprint!("\r{round}/{rounds} {way}                    ");
            samples.entry(way).or_default().push(sample(way, rate, &length)?);
        }
    }
    eprintln!();
    print!("{}", table::render(&samples, most, rate, length.measured));
    Ok(())
}

/// Runs every way briefly to check that it works.
pub fn small() -> Result<(), String> {
    for way in Way::ALL {
        let Sample { requests, account, .. } = sample(way, 200.0, &Length { warm_up: 0.1, measured: 0.5 })?;
        let wanted = if matches!(way, Way::Ragtrace | Way::RagtraceDiscard) { 2 * requests } else { 0 };
        if account.dropped > 0 || account.delivered < wanted {
            return Err(format!(
                "{way}: {} records delivered of {wanted}, {} dropped",
                account.delivered, account.dropped
            ));
        }
        println!("{way}: {requests} requests answered, {} records delivered", account.delivered);
    }
    Ok(())
}

fn number(variable: &str, default: f64) -> Result<f64, String> {
    std::env::var(variable)
        .map_or(Ok(default), |text| text.parse().map_err(|_| format!("{variable} is no number: {text}")))
}

/// Returns the highest number of requests a second that the bare server answers: the median of
/// three runs of about two seconds, with each connection sending its next request at once.
fn most() -> Result<f64, String> {
    let mut rates = Vec::new();
    for _ in 0..3 {
        let server = Server::start(Way::Bare)?;
        let mut client = Client::connect(server.address, CONNECTIONS)?;
        let first = client.run(20_000, Pace::Unbounded)?.rate();
        rates.push(client.run((first * 2.0) as usize, Pace::Unbounded)?.rate());
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates[1])
}

/// Measures a new server at the given rate.
fn sample(way: Way, rate: f64, length: &Length) -> Result<Sample, String> {
    let mut server = Server::start(way)?;
    let mut client = Client::connect(server.address, CONNECTIONS)?;
    let describe = |error| format!("{way}: {error}");
    client.run((rate * length.warm_up) as usize, Pace::Rate(rate)).map_err(describe)?;
    let (before, then) = server.mark().map_err(describe)?;
    let run = client.run((rate * length.measured) as usize, Pace::Rate(rate)).map_err(describe)?;
    let (after, now) = server.mark().map_err(describe)?;
    let requests = run.latencies.len() as u64;
    Ok(Sample {
        requests,
        half: run.latency(0.5) / 1e6,
        most: run.latency(0.99) / 1e6,
        late: run.lateness(0.99) / 1e6,
        processor: (after - before) as f64 / requests as f64 / 1e3,
        account: Account { delivered: now.delivered - then.delivered, dropped: now.dropped },
    })
}

/// A server in a process of its own, which ends when this is dropped.
struct Server {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    address: std::net::SocketAddr,
}

impl Server {
    fn start(way: Way) -> Result<Self, String> {
        let processors = std::env::var("SERVER_PROCESSORS").unwrap_or_else(|_| "0".to_owned());
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut process = Command::new(program)
            .args(["serve", &way.to_string()])
            .env("SERVER_PROCESSORS", processors)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the server does not start: {error}"))?;
        let input = process.stdin.take();
        let mut output = BufReader::new(process.stdout.take().ok_or("the server has no output")?);
        let line = read(&mut output)?;
        let address = line.trim().parse().map_err(|_| format!("the server says no address: {line}"))?;
        Ok(Self { process, input, output, address })
    }

    /// Makes the server flush, and returns its CPU time so far, in nanoseconds, and its record
    /// counts.
    fn mark(&mut self) -> Result<(u64, Account), String> {
        let input = self.input.as_mut().ok_or("the server has no input")?;
        writeln!(input, "mark")
            .and_then(|()| input.flush())
            .map_err(|error| format!("the server has ended: {error}"))?;
        let line = read(&mut self.output)?;
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        match numbers[..] {
            [time, delivered, dropped] => Ok((time, Account { delivered, dropped })),
            _ => Err(format!("the server says no account: {line}")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing its input ends the server.
        self.input = None;
        let _ = self.process.wait();
    }
}

fn read(output: &mut impl BufRead) -> Result<String, String> {
    let mut line = String::new();
    output.read_line(&mut line).map_err(|error| format!("the server's output: {error}"))?;
    Ok(line)
}
