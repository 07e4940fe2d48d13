//! Tests of the web viewer, as browsers and programs use it.
#![cfg(unix)]

#[expect(dead_code, reason = "shared with the tests of PostgreSQL, which use more of it")]
#[path = "../../tests/support/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "shared with the tests of the store, which use more of it")]
#[path = "../../ragtrace-store/tests/support/mod.rs"]
mod support;

#[path = "serve/bounds.rs"]
mod bounds;
#[path = "serve/client.rs"]
mod client;
#[path = "serve/end.rs"]
mod end;
#[path = "serve/faults.rs"]
mod faults;
#[path = "serve/hostile.rs"]
mod hostile;
#[path = "serve/live.rs"]
mod live;
#[path = "serve/pages.rs"]
mod pages;
#[path = "serve/refusals.rs"]
mod refusals;
#[path = "serve/roles.rs"]
mod roles;
#[path = "serve/scores.rs"]
mod scores;
#[path = "serve/sessions.rs"]
mod sessions;
#[path = "serve/trace_page.rs"]
mod trace_page;
#[path = "serve/viewer.rs"]
mod viewer;
