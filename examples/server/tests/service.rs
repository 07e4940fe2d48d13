//! Tests the service as its users see it: a process, over real connections, and the contents of the
//! store afterwards.
#![cfg(all(unix, feature = "sqlite"))]

mod support;

#[path = "service/events.rs"]
mod events;
#[path = "service/feedback.rs"]
mod feedback;
#[path = "service/files.rs"]
mod files;
#[path = "service/health.rs"]
mod health;
#[path = "service/problems.rs"]
mod problems;
#[path = "service/questions.rs"]
mod questions;
#[path = "service/shutdown.rs"]
mod shutdown;
#[path = "service/tenants.rs"]
mod tenants;
#[path = "service/traces.rs"]
mod traces;
#[path = "service/uploads.rs"]
mod uploads;
