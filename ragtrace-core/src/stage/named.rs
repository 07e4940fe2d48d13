//! Stages whose names are created at run time.

use std::error::Error;
use std::future::Future;
use std::panic::Location;

use crate::catalog::{self, CatalogEntry, StageDescriptor, StageKind};
use crate::stage::deferred::open_deferred;
use crate::stage::outcome::ErrorProbe;
use crate::stage::span::open_bare;

/// A stage whose name is created at run time, for example the root stage of a job, a message or a
/// route.
///
/// Its runs are recorded like those of an annotated function: a run is the parent of the stages
/// inside it, and starts a trace if there is none. The name joins the catalog
/// ([`stages`](crate::stages)) for the rest of the process's life, so names are bounded: a process
/// has at most 1,024, of at most 200 bytes each (a longer name is cut and ends in `…`). Build names
/// from values with few variants, such as a job's type or a route's pattern, and never from an id.
///
/// # Examples
///
/// ```
/// use ragtrace::{NamedStage, StageKind};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let kind_of_job = "reindex";
/// let stage = NamedStage::new(&format!("job {kind_of_job}"), StageKind::Pipeline)
///     .or_else(|| NamedStage::new("job", StageKind::Pipeline))
///     .expect("the name `job` was interned at startup");
/// let pages = stage.run(async { 3 }).await;
/// # assert_eq!(pages, 3);
/// # });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NamedStage(&'static CatalogEntry);

impl NamedStage {
    /// Returns the stage with this name, creating it on the first call, or `None` if 1,024 other
    /// names exist. Routes recorded by the HTTP layer count as names.
    ///
    /// The kind and source location of the first call are kept.
    #[track_caller]
    pub fn new(name: &str, kind: StageKind) -> Option<Self> {
        let template = StageDescriptor::at("", "ragtrace::named", Location::caller()).with_kind(kind);
        catalog::intern(name, &template).map(Self)
    }

    /// Returns the stage's name.
    pub fn name(&self) -> &'static str {
        self.0.get().name()
    }

    /// Runs `future` as a run of the stage. The run completes whatever the future returns.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        open_deferred(self.0, |_| ()).block(future).end(|_, _| ())
    }

    /// Runs `future` as a run of the stage, which fails if the future returns an error.
    pub fn try_run<T, E, F>(&self, future: F) -> impl Future<Output = Result<T, E>>
    where
        E: Error,
        F: Future<Output = Result<T, E>>,
    {
        open_deferred(self.0, |_| ()).block(future).end(|result, ending| {
            if let Err(error) = result {
                ending.fail(ErrorProbe::new(error).capture());
            }
        })
    }

    /// Calls `call` as a run of the stage. The run completes whatever the call returns.
    pub fn run_sync<T>(&self, call: impl FnOnce() -> T) -> T {
        open_bare(self.0).run_call(call, |_, _| ())
    }

    /// Calls `call` as a run of the stage, which fails if the call returns an error.
    pub fn try_run_sync<T, E: Error>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        open_bare(self.0).run_call(call, |result, ending| {
            if let Err(error) = result {
                ending.fail(ErrorProbe::new(error).capture());
            }
        })
    }
}
