//! One program for each way to use ragtrace.
//!
//! A program shows one topic as a whole, with comments for first-time readers; `tests/` runs each
//! program and checks its output and its records. The documentation of `ragtrace` shows the
//! programs as guides in the module `guide`, with explanations around them. A program and its page
//! have to be changed together.

/// Compiles the code of the guides as tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../ragtrace/src/guide/command_line.md")]
    struct CommandLine;

    #[doc = include_str!("../../ragtrace/src/guide/custom_sink.md")]
    struct CustomSink;

    #[doc = include_str!("../../ragtrace/src/guide/from_python.md")]
    struct FromPython;

    #[doc = include_str!("../../ragtrace/src/guide/from_tracing.md")]
    struct FromTracing;

    #[doc = include_str!("../../ragtrace/src/guide/service.md")]
    struct Service;

    #[doc = include_str!("../../ragtrace/src/guide/spawn_and_select.md")]
    struct SpawnAndSelect;

    #[doc = include_str!("../../ragtrace/src/guide/streams.md")]
    struct Streams;

    #[doc = include_str!("../../ragtrace/src/guide/testing.md")]
    struct Testing;

    #[doc = include_str!("../../ragtrace/src/guide/traits.md")]
    struct Traits;

    #[doc = include_str!("../../ragtrace/src/guide/worker.md")]
    struct Worker;
}

/// Compiles the code of the repository's pages as tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../docs/from-python.md")]
    struct FromPython;

    #[doc = include_str!("../../docs/http.md")]
    struct Http;

    #[doc = include_str!("../../docs/monitoring.md")]
    struct Monitoring;

    #[doc = include_str!("../../docs/tracing.md")]
    struct Tracing;
}
