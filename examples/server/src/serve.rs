//! Runs the service, from its settings to its end.
//!
//! The order at the end keeps every record: the runtime ends first, so that the stages it cancels
//! are recorded, and the telemetry last.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ragtrace::sink::BoxSink;
use ragtrace_examples::stage_logs::{PATIENCE, StageLogs};
use ragtrace_examples::store::Store;
use tokio::net::TcpListener;

use crate::accept::accept;
use crate::api::{self, Hosts};
use crate::app::App;
use crate::live::Live;
use crate::settings::Settings;
use crate::shutdown::Shutdown;

type Failure = Box<dyn std::error::Error>;

/// Serves until a signal ends it.
///
/// # Errors
///
/// Returns an error if the sinks, the folder, the tokens or the address cannot be used.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    let live = if settings.has_tokens() { Live::of_tenants() } else { Live::new() };
    let logs = StageLogs::install_with("rag-server", [BoxSink::new(live.sink())])?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(serve(settings, &logs, live));
    // The stages that the runtime cancels at its end are recorded too.
    runtime.shutdown_timeout(PATIENCE);
    let outcome = outcome.and_then(close);
    logs.end(None);
    outcome
}

/// Serves, and returns the store, which interrupted requests use until the runtime is gone.
async fn serve(settings: &Settings, logs: &StageLogs, live: Live) -> Result<Store, Failure> {
    let shutdown = Shutdown::default();
    let app = Arc::new(App::new(settings, logs, live, shutdown.clone()).await?);
    let listener = TcpListener::bind(&settings.listen).await.map_err(|cause| Bind(settings.listen.clone(), cause))?;
    let address = listener.local_addr()?;
    shutdown.at_signals()?;
    eprintln!("listening on http://{address}");

    let drain = Duration::from_secs(settings.drain);
    let router = api::router(&app, Hosts::of(settings, address));
    let requests = accept(listener, router, shutdown.clone().drained(drain));
    let too_long = async {
        shutdown.drained(drain).await;
        tokio::time::sleep(Duration::from_secs(settings.grace)).await;
    };
    tokio::select! {
        () = requests => (),
        () = too_long => eprintln!("requests are cut off, {} s after the signal", settings.drain + settings.grace),
    }
    Ok(app.store.clone())
}

/// Closes the store. An interrupted statement may be waiting for another program, so the wait has a
/// limit.
fn close(store: Store) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _ = runtime.block_on(async { tokio::time::timeout(PATIENCE, store.close()).await });
    Ok(())
}

/// The error of an address that cannot be listened on.
#[derive(Debug)]
struct Bind(String, io::Error);

impl std::fmt::Display for Bind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cannot be listened at; name another address with --listen", self.0)
    }
}

impl std::error::Error for Bind {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.1)
    }
}
