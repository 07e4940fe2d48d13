//! The peers, a file each. A workload is the same function under every peer.

mod emit;
mod fastrace;
mod floor;
mod plain;
mod puffin;
mod ragtrace;
mod tracing;
mod tracy;

use crate::measure::Sample;

/// Every peer and what it is measured with.
pub const ALL: &[(&str, &[&str])] = &[
    ("plain", &["off", "bare", "full", "string", "nested", "failing", "polls", "request", "one-thread", "two-threads"]),
    ("floor", &["full"]),
    ("ragtrace-off", &["off"]),
    (
        "ragtrace",
        &["bare", "full", "string", "texts", "nested", "failing", "polls", "request", "one-thread", "two-threads"],
    ),
    ("tracing-off", &["off"]),
    ("tracing-registry", &["bare", "full", "request"]),
    ("tracing-json", &["full"]),
    ("tracing-opentelemetry", &["bare", "full", "request"]),
    ("emit", &["bare", "full", "request"]),
    ("puffin", &["bare", "full"]),
    ("fastrace", &["bare", "full", "nested", "polls", "request", "one-thread", "two-threads"]),
    ("tracy", &["bare", "full", "request"]),
];

/// Measures, or `None` for what there is not.
pub fn run(peer: &str, workload: &str, stages: usize) -> Option<Sample> {
    match peer {
        "plain" => plain::run(workload, stages),
        "floor" => floor::run(stages),
        "ragtrace" | "ragtrace-off" => ragtrace::run(peer, workload, stages),
        "tracing-off" | "tracing-registry" | "tracing-json" | "tracing-opentelemetry" => {
            tracing::run(peer, workload, stages)
        }
        "fastrace" => fastrace::run(workload, stages),
        "emit" => emit::run(workload, stages),
        "puffin" => puffin::run(workload, stages),
        "tracy" => tracy::run(workload, stages),
        _ => None,
    }
}

/// The value that the measured functions work on.
pub struct Chunk {
    pub id: u64,
    pub pages: u64,
    pub name: String,
}

pub fn chunk(id: u64) -> Chunk {
    Chunk { id, pages: id % 7, name: "report.pdf".to_owned() }
}

/// What a measured function returns: something to count.
pub type Output = Result<Vec<u8>, String>;
