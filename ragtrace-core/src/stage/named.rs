//! Stages whose names are made at run time.

use std::error::Error;
use std::future::Future;
use std::panic::Location;

use crate::catalog::{self, CatalogEntry, StageDescriptor, StageKind};
use crate::stage::deferred::open_deferred;
use crate::stage::outcome::ErrorProbe;
use crate::stage::span::open_bare;

/// A stage whose name is made at run time, as the root of what one job, message or route does.
///
/// Its runs are recorded as those of an annotated function are. It is the parent of the stages
/// inside it, and begins a trace where there is none. The name joins the catalog
/// ([`stages`](crate::stages)) and stays there, so names are bounded: at most 1,024 in a process,
/// of at most 200 bytes (a longer one is cut and ends in `…`). Make them of what has few values,
/// such as a job's type or a route's pattern, never of an id.
///
/// ```
/// use ragtrace::{NamedStage, StageKind};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let kind_of_job = "reindex";
/// let stage = NamedStage::new(&format!("job {kind_of_job}"), StageKind::Pipeline)
///     .or_else(|| NamedStage::new("job", StageKind::Pipeline))
///     .expect("the first name was made when the program began");
/// let pages = stage.run(async { 3 }).await;
/// # assert_eq!(pages, 3);
/// # });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NamedStage(&'static CatalogEntry);

impl NamedStage {
    /// Returns the stage of this name, which is made the first time, or `None` if there are 1,024
    /// others. Kind and place are those of the first time.
    #[track_caller]
    pub fn new(name: &str, kind: StageKind) -> Option<Self> {
        let template = StageDescriptor::at("", "ragtrace::named", Location::caller()).with_kind(kind);
        catalog::intern(name, &template).map(Self)
    }

    /// Returns the stage's name.
    pub fn name(&self) -> &'static str {
        self.0.get().name()
    }

    /// Records a run that is `future`; it completes whatever the future returns.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        open_deferred(self.0, |_| ()).block(future).end(|_, _| ())
    }

    /// Records a run that is `future`, and fails if that returns an error.
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

    /// Records a run that is `call`; it completes whatever the call returns.
    pub fn run_sync<T>(&self, call: impl FnOnce() -> T) -> T {
        open_bare(self.0).run_call(call, |_, _| ())
    }

    /// Records a run that is `call`, and fails if that returns an error.
    pub fn try_run_sync<T, E: Error>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        open_bare(self.0).run_call(call, |result, ending| {
            if let Err(error) = result {
                ending.fail(ErrorProbe::new(error).capture());
            }
        })
    }
}
