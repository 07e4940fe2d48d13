//! The output of every command over a store as a RAG service leaves it ([`fixture`]).

mod fixture;
#[expect(dead_code, reason = "shared with the tests of the store, which use more of it")]
#[path = "../../ragtrace-store/tests/support/mod.rs"]
mod support;

mod output {
    mod clock;
    mod hostile;
    mod messages;
    mod pipes;
    mod questions;
    mod readme;
    mod run;
    mod schemas;
    mod snapshots;
}
