#![doc = include_str!("index.md")]

#[doc = include_str!("service.md")]
pub mod service {}

#[doc = include_str!("command_line.md")]
pub mod command_line {}

#[doc = include_str!("worker.md")]
pub mod worker {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("spawn_and_select.md")]
pub mod spawn_and_select {}

#[doc = include_str!("streams.md")]
pub mod streams {}

#[doc = include_str!("traits.md")]
pub mod traits {}

#[doc = include_str!("custom_sink.md")]
pub mod custom_sink {}

#[doc = include_str!("from_tracing.md")]
pub mod from_tracing {}

#[doc = include_str!("from_python.md")]
pub mod from_python {}
