//! The sink of LangSmith against a server on loopback that is as strict as the real one, and
//! against what the official Python client sends.
#![cfg(feature = "langsmith")]

mod feedback;
mod limits;
mod pipeline;
mod records;
mod runs;
mod server;
mod settings;
mod statuses;
mod strict;
mod trees;
