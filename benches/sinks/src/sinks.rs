//! Measures a sink with records from memory.

use std::time::{Duration, Instant};

use ragtrace::sink::{Batch, BoxSink};
use ragtrace::{Record, Sink};
use uuid::Uuid;

use crate::{measure, records};

/// The number of records in a measurement, which makes some hundred batches.
const FULL: usize = 60_000;
const CONTENT: usize = 6_000;

/// Measures a sink with records of a mix, and returns a line of JSON.
pub fn measure(backend: &str, mix: &str, address: &str) -> String {
    let records = records::make(mix, if mix == "full" { FULL } else { CONTENT });
    let sink = sink(backend, address);
    let limits = sink.limits();
    let bytes = if mix == "full" { 700 } else { 700 + records::CONTENT };
    let many = limits.records.min(limits.bytes / bytes).max(1);
    let batches: Vec<_> = records.chunks(many).map(|records| Batch::new(Uuid::new_v4(), records.to_vec())).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(deliver(&sink, &batches));
    let _ = counts(address);
    let (allocations, cpu, start) = (measure::allocations(), measure::cpu(), Instant::now());
    runtime.block_on(deliver(&sink, &batches));
    let (wall, cpu, allocations) = (start.elapsed(), measure::cpu() - cpu, measure::allocations() - allocations);
    let (bytes, requests) = counts(address);
    let each = |number: f64| number / records.len() as f64;
    format!(
        r#"{{"backend":"{backend}","mix":"{mix}","records":{},"per_second":{:.0},"wall_per_second":{:.0},"mb_per_second":{:.1},"bytes":{:.1},"allocations":{:.2},"requests":{requests}}}"#,
        records.len(),
        rate(&records, cpu),
        rate(&records, wall),
        rate(&records, cpu) * records::CONTENT as f64 / 1e6,
        each(bytes as f64),
        each(allocations as f64),
    )
}

fn rate(records: &[Record], time: Duration) -> f64 {
    records.len() as f64 / time.as_secs_f64()
}

async fn deliver(sink: &BoxSink, batches: &[Batch]) {
    for batch in batches {
        let delivered = sink.deliver(batch).await.unwrap_or_else(|error| panic!("{error:?}"));
        assert!(delivered.rejected().is_empty(), "{:?}", delivered.rejected());
    }
}

/// Returns the sink as environment variables of an application configure it.
fn sink(backend: &str, address: &str) -> BoxSink {
    let url = format!("http://{address}");
    let datadog = |logs: bool| {
        vec![
            ("DD_API_KEY", "k".repeat(32)),
            ("RAGTRACE_DATADOG_LOGS", logs.to_string()),
            ("DD_LLMOBS_ENABLED", (!logs).to_string()),
            ("DD_LLMOBS_ML_APP", "bench".to_owned()),
            ("RAGTRACE_DATADOG_LOGS_URL", url.clone()),
            ("RAGTRACE_DATADOG_API_URL", url.clone()),
        ]
    };
    let otlp = |compression: &str| {
        vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url.clone()), ("OTEL_EXPORTER_OTLP_COMPRESSION", compression.to_owned())]
    };
    // Tuples of the variable that lists sinks, the measured sink's name, and settings.
    let (backend, sink, settings) = match backend {
        "datadog-logs" => ("datadog", "datadog", datadog(true)),
        "datadog-llmobs" => ("datadog", "datadog-llmobs", datadog(false)),
        "langsmith" => {
            ("langsmith", "langsmith", vec![("LANGSMITH_API_KEY", "k".repeat(32)), ("LANGSMITH_ENDPOINT", url.clone())])
        }
        "otlp-gzip" => ("otlp", "otlp", otlp("gzip")),
        "otlp-plain" => ("otlp", "otlp", otlp("none")),
        unknown => panic!("no backend {unknown}"),
    };
    let sinks = ragtrace_sinks::from_lookup(|name| match name {
        "RAGTRACE_SINKS" => Some(backend.to_owned()),
        _ => settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()),
    });
    let sinks = sinks.unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<_> = sinks.iter().map(|sink| sink.name().to_owned()).collect();
    let found = sinks.into_iter().find(|one| one.name() == sink);
    found.unwrap_or_else(|| panic!("no sink {sink} among {names:?}"))
}

/// Returns the bytes and requests that the server has received since the last call.
fn counts(address: &str) -> (u64, u64) {
    use std::io::{Read, Write};
    let mut connection = std::net::TcpStream::connect(address).expect("the server");
    connection.write_all(b"GET /counts HTTP/1.1\r\n\r\n").expect("it listens");
    let mut answer = [0; 512];
    let length = connection.read(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    let number = |name: &str| {
        let (_, rest) = answer.split_once(&format!("\"{name}\":")).expect("a count");
        rest.split([',', '}']).next().and_then(|digits| digits.parse().ok()).expect("a number")
    };
    (number("bytes"), number("requests"))
}
