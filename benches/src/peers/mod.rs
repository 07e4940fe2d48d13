//! The peers, one file each. A workload is the same function under every peer.

mod emit;
mod fastrace;
mod floor;
mod plain;
mod puffin;
mod ragtrace;
mod tracing;
mod tracy;

use crate::measure::Sample;

/// All peers, with the workloads that each is measured with.
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

/// Measures a peer with a workload, or returns `None` if the peer does not have it.
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

/// The argument of the measured functions.
pub struct Chunk {
    pub id: u64,
    pub pages: u64,
    pub name: String,
}

pub fn chunk(id: u64) -> Chunk {
    Chunk { id, pages: id % 7, name: "report.pdf".to_owned() }
}

/// The result of a measured function, which contains items to count.
pub type Output = Result<Vec<u8>, String>;
