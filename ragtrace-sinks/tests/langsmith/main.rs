//! Tests the LangSmith sinks with a server on loopback that is as strict as the real one, and
//! compares them with the official Python client.
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
