//! Runs the guides' programs as a reader would, each in a folder of its own, and checks their
//! output and their records.

#[expect(dead_code, reason = "it is for the larger examples, too")]
#[path = "../../tests/support/program.rs"]
mod program;
#[path = "programs/run.rs"]
mod run;

#[path = "programs/command_line.rs"]
mod command_line;
#[path = "programs/custom_sink.rs"]
mod custom_sink;
#[path = "programs/from_python.rs"]
mod from_python;
#[path = "programs/from_tracing.rs"]
mod from_tracing;
#[path = "programs/service.rs"]
mod service;
#[path = "programs/spawn_and_select.rs"]
mod spawn_and_select;
#[path = "programs/streams.rs"]
mod streams;
#[path = "programs/traits.rs"]
mod traits;
#[path = "programs/worker.rs"]
mod worker;
