//! One program for each way to use ragtrace.
//!
//! A program shows one thing whole, with comments for whoever reads it first; `tests/` runs each of
//! them and looks at what it printed and recorded. The documentation of `ragtrace` has them as
//! guides, in the module `guide`, with what there is to know around them: a program and its page
//! are changed together.

/// The guides' code is compiled as a test.
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

/// The code of the repository's pages is compiled as a test.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../docs/from-python.md")]
    struct FromPython;

    #[doc = include_str!("../../docs/http.md")]
    struct Http;

    #[doc = include_str!("../../docs/tracing.md")]
    struct Tracing;
}
