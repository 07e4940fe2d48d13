//! The builder.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use ragtrace_core::dispatch::ListenerGuard;
use ragtrace_core::queue::{QueueLimits, install, uninstall};
use ragtrace_core::stage::{abort, panic_hook};
use ragtrace_core::{ParseError, stages};
use uuid::Uuid;

use super::level::IntoLevel;
use super::telemetry::flusher;
use super::variables::Variables;
use super::{SetupError, Telemetry, TelemetryHandle};
use crate::console::{Console, ConsoleSink};
use crate::pipeline::{Published, Sanitizer, SpoolSettings, StageTotals, WorkerConfig, start};
use crate::record::{LevelFilter, Levels, Origin, RecordLimits};
use crate::redact::Redactor;
use crate::sample::Sampler;
use crate::sink::{BoxSink, GuardedSink, Sink, fault_of_name};
use crate::spool::{Durability, SpoolLimits};
#[cfg(feature = "tracing")]
use crate::tracing;
use crate::warning;

/// The settings of telemetry to install; made by [`builder`].
///
/// What code sets wins over the environment, whichever comes first:
///
/// ```
/// let builder = ragtrace::builder().from_env().level("debug").service("rag-api");
/// # let _ = builder;
/// ```
#[derive(Debug)]
#[must_use = "nothing is set up before `install()`"]
pub struct Builder {
    service: Option<String>,
    environment: Option<String>,
    version: Option<String>,
    levels: Option<Result<Levels, ParseError>>,
    console: Option<Console>,
    sinks: Vec<BoxSink>,
    queue: QueueLimits,
    spool: Option<(PathBuf, SpoolLimits)>,
    durability: Option<Durability>,
    redactor: Redactor,
    record_limits: RecordLimits,
    sampler: Sampler,
    variables: Option<Result<Variables, SetupError>>,
    #[cfg(feature = "tracing")]
    captures_tracing: bool,
}

/// Begins to set up: no service name, level `info`, console [`Console::Auto`], no sinks.
pub fn builder() -> Builder {
    Builder {
        service: None,
        environment: None,
        version: None,
        levels: None,
        console: None,
        sinks: Vec::new(),
        queue: QueueLimits::default(),
        spool: None,
        durability: None,
        redactor: Redactor::new(),
        record_limits: RecordLimits::default(),
        sampler: Sampler::all(),
        variables: None,
        #[cfg(feature = "tracing")]
        captures_tracing: false,
    }
}

impl Builder {
    /// Sets the name of this service, which is in every record.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Sets where it runs, such as `production`, which is in every record.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Sets the service's version, which is in every record.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the least severe level that the console shows and that sinks without a level of their
    /// own take; `info` unless set.
    ///
    /// It takes a [`Level`](crate::Level), its name, such as `"debug"`, or a level and directives
    /// for targets that have another one: `"info,rag.ingestion=debug,hyper=warn"`. They hold for
    /// stages, by the stage's target, and for log lines.
    ///
    /// A directive `target=level` holds for its target and those below it: `hyper` for
    /// `hyper::client`, and `rag` for `rag.ingestion`, but not for `ragtime`. Of several that hold
    /// for one target the longest counts, and of two for the same one the last. Targets that no
    /// directive names have the level that stands alone, or `info` if there is none. `off` in the
    /// place of a level takes nothing. A text that is none of it is an error of
    /// [`install`](Self::install), which names the part that is malformed.
    ///
    /// ```
    /// let builder = ragtrace::builder().level("info,rag.ingestion=debug,hyper=off");
    /// # drop(builder);
    /// let error = ragtrace::builder().level("info,rag.ingestion=loud").install().expect_err("no such level");
    /// assert!(error.is_setting() && error.to_string().contains("rag.ingestion=loud"));
    /// ```
    pub fn level(mut self, level: impl IntoLevel) -> Self {
        self.levels = Some(level.into_setting().0);
        self
    }

    /// Sets whether and how records are shown on stderr; [`Console::Auto`] unless set.
    pub fn console(mut self, console: Console) -> Self {
        self.console = Some(console);
        self
    }

    /// Adds a sink. Two of one name are an error of [`install`](Self::install), and so is one
    /// called `console` while the console is on.
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.sinks.push(BoxSink::new(sink));
        self
    }

    /// Adds sinks, such as those that the environment names (`ragtrace_sinks::from_env()`).
    pub fn sinks(mut self, sinks: impl IntoIterator<Item = BoxSink>) -> Self {
        self.sinks.extend(sinks);
        self
    }

    /// Sets how much may wait in memory.
    pub fn queue(mut self, limits: QueueLimits) -> Self {
        self.queue = limits;
        self
    }

    /// Keeps on disk, in this folder, what cannot be delivered now.
    ///
    /// Several processes may share the folder; put it on a disk of this machine. See
    /// [`crate::spool`].
    pub fn spool(mut self, folder: impl Into<PathBuf>, limits: SpoolLimits) -> Self {
        self.spool = Some((folder.into(), limits));
        self
    }

    /// Sets when records go to disk; [`Durability::Spill`] once there is a spool, unless set.
    /// Without a spool anything but [`Durability::Memory`] is an error of
    /// [`install`](Self::install).
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// Sets what counts as a secret and does not leave the process; [`Redactor::new`] unless set.
    pub fn redact(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// Sets how large a record may be.
    pub fn record_limits(mut self, limits: RecordLimits) -> Self {
        self.record_limits = limits;
        self
    }

    /// Sets which traces are shipped; all unless set.
    pub fn sample(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Makes records of the program's `tracing` events and of its lines to `log`, in a program that
    /// has no `tracing` subscriber; off unless set.
    ///
    /// [`install`](Self::install) then sets a subscriber that has the [`layer`](fn@crate::layer)
    /// and nothing else, for the whole process and for good. What no sink takes costs as little as
    /// without a subscriber. Where the program has another logger for `log` already, its lines stay
    /// there.
    ///
    /// Where a subscriber is set already, that stays as it is: a warning says to add
    /// `.with(ragtrace::layer())` to it, unless it has the layer. A layer inside a `reload::Layer`
    /// cannot be found, so leave this off beside one. A subscriber that is set for this thread
    /// alone (`tracing::subscriber::set_default`) keeps the thread's events, of which a warning is
    /// given, too.
    #[cfg(feature = "tracing")]
    pub fn capture_tracing(mut self, is_on: bool) -> Self {
        self.captures_tracing = is_on;
        self
    }

    /// Takes what the environment sets for all that code does not set, before or after.
    ///
    /// | variable | sets | without it |
    /// | --- | --- | --- |
    /// | `RAGTRACE_SERVICE` | [`service`](Self::service) | `DD_SERVICE`, `OTEL_SERVICE_NAME`, `service.name` |
    /// | `RAGTRACE_ENV` | [`environment`](Self::environment) | `DD_ENV`, `deployment.environment.name`, `deployment.environment` |
    /// | `RAGTRACE_VERSION` | [`version`](Self::version) | `DD_VERSION`, `service.version` |
    /// | `RAGTRACE_LOG` | [`level`](Self::level): a level, `target=level` directives, or both | |
    /// | `RAGTRACE_CONSOLE` | [`console`](Self::console): `auto`, `json`, `pretty` or `off` | |
    /// | `RAGTRACE_SPOOL` | the folder of [`spool`](Self::spool) | |
    /// | `RAGTRACE_SPOOL_BYTES` | bytes on disk for one sink, in the folder that `RAGTRACE_SPOOL` names | |
    /// | `RAGTRACE_DURABILITY` | [`durability`](Self::durability): `memory`, `spill` or `durable` | |
    ///
    /// The names with dots are those of `OTEL_RESOURCE_ATTRIBUTES`. A variable that is empty or
    /// blank counts as not set. One of ours that is malformed is an error of
    /// [`install`](Self::install), and so is one that is not UTF-8, but for the path in
    /// `RAGTRACE_SPOOL`, which may be any.
    /// Sinks come from `ragtrace_sinks::from_env()`.
    pub fn from_env(self) -> Self {
        self.read_variables(|name| std::env::var_os(name))
    }

    /// Takes settings as [`from_env`](Self::from_env) does, from any source of variables.
    pub fn from_lookup(self, lookup: impl Fn(&str) -> Option<String>) -> Self {
        self.read_variables(|name| lookup(name).map(OsString::from))
    }

    fn read_variables(mut self, lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        self.variables = Some(Variables::read(lookup));
        self
    }

    /// Starts the worker; from here on stages are recorded. Sinks connect when they have something
    /// to deliver.
    ///
    /// # Errors
    ///
    /// If telemetry is installed already in this process, a setting is malformed, a sink's name is
    /// no valid one, two sinks have one name, or the worker's thread cannot be started.
    pub fn install(self) -> Result<Telemetry, SetupError> {
        let variables = self.variables.transpose()?.unwrap_or_default();
        let levels = LevelFilter::from(self.levels.transpose()?.or(variables.levels).unwrap_or_default());
        let of_variables = variables.spool.map(|folder| {
            let bytes = variables.spool_bytes.unwrap_or(SpoolLimits::default().bytes);
            (folder, SpoolLimits::default().with_bytes(bytes))
        });
        let spool = spool_settings(self.spool.or(of_variables), self.durability.or(variables.durability))?;
        let console = ConsoleSink::new(self.console.or(variables.console).unwrap_or_default()).map(BoxSink::new);
        let console = console.map(guarded).transpose()?;
        let sinks = self.sinks.into_iter().map(guarded).collect::<Result<Vec<_>, _>>()?;
        check_names(console.as_ref(), &sinks)?;
        let queue = install(self.queue).ok_or_else(SetupError::installed)?;
        panic_hook::install_hook();
        variables.warnings.iter().for_each(|warning| warning::print(warning));
        report_duplicates();
        for warning in twice_filled(&sinks) {
            warning::print(&warning);
        }
        let origin = Origin {
            service: self.service.or(variables.service),
            environment: self.environment.or(variables.environment),
            version: self.version.or(variables.version),
            host: host(),
            instance: Uuid::now_v7(),
        };
        let published = Published::default();
        let stage_totals = StageTotals::default();
        let (commands, received) = tokio::sync::mpsc::unbounded_channel();
        let config = WorkerConfig {
            queue: Arc::clone(&queue),
            origin: Arc::new(origin),
            levels,
            console,
            sinks,
            memory_limits: self.queue,
            spool,
            sanitizer: Sanitizer::new(self.redactor, self.record_limits),
            sampler: self.sampler,
            commands: received,
            published: published.clone(),
            stage_totals: stage_totals.clone(),
        };
        #[cfg(feature = "tracing")]
        let taken = config.filter().log_lines();
        match start(config) {
            Ok(thread) => {
                #[cfg(feature = "tracing")]
                log_what_is_taken(
                    tracing::demand::Taken { levels: taken, limits: self.record_limits },
                    self.captures_tracing,
                );
                abort::flush_by(thread.thread().id(), flusher(&commands));
                let handle = TelemetryHandle::new(commands.downgrade(), published, stage_totals);
                Ok(Telemetry::new(handle, commands, queue, ListenerGuard::begin()))
            }
            Err(error) => {
                uninstall(&queue);
                Err(SetupError::thread(error))
            }
        }
    }
}

/// Has events that a sink takes become records.
#[cfg(feature = "tracing")]
fn log_what_is_taken(taken: tracing::demand::Taken, captures_tracing: bool) {
    tracing::demand::set(Some(taken));
    if captures_tracing && let Some(hindrance) = tracing::capture(taken.levels) {
        warning::print(hindrance);
    }
}

fn spool_settings(
    spool: Option<(PathBuf, SpoolLimits)>,
    durability: Option<Durability>,
) -> Result<Option<SpoolSettings>, SetupError> {
    match (spool, durability) {
        (None, Some(Durability::Spill | Durability::Durable)) => {
            let what = "records can only be kept on disk with a folder for it: set RAGTRACE_SPOOL or `Builder::spool`";
            Err(SetupError::setting(what))
        }
        (None, _) | (_, Some(Durability::Memory)) => Ok(None),
        (Some((folder, _)), _) if folder.as_os_str().is_empty() => {
            Err(SetupError::setting("the spool's folder has no name: give `Builder::spool` a path"))
        }
        (Some((folder, limits)), durability) => {
            let is_durable = durability == Some(Durability::Durable);
            Ok(Some(SpoolSettings { folder, limits, is_durable }))
        }
    }
}

/// Asks a sink for its settings. One that panics must not take the application along.
fn guarded(sink: BoxSink) -> Result<GuardedSink, SetupError> {
    GuardedSink::new(sink).map_err(|why| {
        SetupError::setting(format!("a sink panicked when it was asked for its name and settings: {why}"))
    })
}

/// A sink's name is where its batches lie in the spool, and how reports and dead letters call it.
/// The console counts as one of them while it is on.
fn check_names(console: Option<&GuardedSink>, sinks: &[GuardedSink]) -> Result<(), SetupError> {
    if let Some(fault) = sinks.iter().map(|sink| &sink.name[..]).find_map(fault_of_name) {
        return Err(SetupError::setting(format!("give a sink another name: {fault}")));
    }
    let mut names = HashSet::new();
    match console.into_iter().chain(sinks).map(|sink| &sink.name[..]).find(|name| !names.insert(*name)) {
        Some(name) => Err(SetupError::setting(format!(
            "two sinks have the name `{name}`: give one of them another, as by `.named(\"{name}-2\")`"
        ))),
        None => Ok(()),
    }
}

/// Returns a warning for each two sinks that fill what each of them should fill alone.
fn twice_filled(sinks: &[GuardedSink]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (at, sink) in sinks.iter().enumerate() {
        let Some(place) = sink.needs.alone_in() else { continue };
        if let Some(other) = sinks[..at].iter().find(|other| other.needs.alone_in() == Some(place)) {
            let (one, other) = (&other.name, &sink.name);
            warnings.push(format!(
                "the sinks `{one}` and `{other}` both fill {place}, where everything will be twice: leave one of them out"
            ));
        }
    }
    warnings
}

fn host() -> Option<String> {
    let name = hostname::get().ok()?;
    name.into_string().ok().filter(|name| !name.is_empty())
}

/// Says on stderr which names are declared more than once, and where: their records cannot be told
/// apart.
fn report_duplicates() {
    for same in stages().chunk_by(|one, other| one.name() == other.name()).filter(|same| same.len() > 1) {
        let places: Vec<_> = same.iter().map(|stage| format!("{}:{}", stage.file(), stage.line())).collect();
        let name = same[0].name();
        warning::print(&format!("the stage `{name}` is declared {} times: {}", same.len(), places.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{Batch, Delivered, Needs, SinkError};

    struct Filling(&'static str, Option<&'static str>);

    impl Sink for Filling {
        fn name(&self) -> &str {
            self.0
        }

        fn needs(&self) -> Needs {
            self.1.map_or_else(Needs::default, |place| Needs::default().with_alone_in(place))
        }

        async fn deliver(&self, _: &Batch) -> Result<Delivered, SinkError> {
            Ok(Delivered::all())
        }
    }

    #[test]
    fn two_sinks_that_fill_one_place_are_named() {
        let sinks = [("logs", None), ("a", Some("Spans")), ("b", Some("Others")), ("c", Some("Spans"))];
        let sinks = sinks.map(|(name, place)| guarded(BoxSink::new(Filling(name, place))).expect("a sink"));
        let warning = "the sinks `a` and `c` both fill Spans, where everything will be twice: leave one of them out";
        assert_eq!(twice_filled(&sinks), [warning]);
        assert!(twice_filled(&sinks[..3]).is_empty());
    }
}
