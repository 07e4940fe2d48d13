//! The builder: collects the settings, checks them, and starts the worker.

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

/// Settings for telemetry, created by [`builder`] and put into effect by
/// [`install`](Self::install).
///
/// Settings made in code win over the environment, in whichever order the methods are called:
///
/// ```
/// let builder = ragtrace::builder().from_env().level("debug").service("rag-api");
/// # let _ = builder;
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `install` is called"]
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

/// Returns a builder with the default settings: no service name, level `info`, console
/// [`Console::Auto`], and no sinks.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = ragtrace::builder()
///     .service("rag-api")
///     .console(ragtrace::Console::Off)
///     .sink(ragtrace::sink::JsonLines::new(std::io::sink()))
///     .install()?;
///
/// let report = telemetry.shutdown_blocking(Duration::from_secs(10));
/// assert!(report.complete);
/// # Ok(())
/// # }
/// ```
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
    /// Sets the name of the service, which is part of every record.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Sets the deployment environment, such as `production`, which is part of every record.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Sets the version of the service, which is part of every record.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the least severe level of the records that reach the console and sinks without a level
    /// of their own; `info` by default.
    ///
    /// The argument is a [`Level`](crate::Level), the name of one, such as `"debug"`, or a text
    /// with a default level and directives for individual targets:
    /// `"info,rag.ingestion=debug,hyper=warn"`. Directives apply to stages, by the stage's target,
    /// and to log lines.
    ///
    /// A directive `target=level` applies to its target and everything below it: `hyper` applies to
    /// `hyper::client`, and `rag` to `rag.ingestion`, but not to `ragtime`. If several directives
    /// match a target, the longest one counts; of two with the same target, the last one. Targets
    /// that no directive matches get the level that stands alone, or `info` if there is none. `off`
    /// in place of a level excludes all records of the target. A malformed text makes
    /// [`install`](Self::install) fail with an error that names the malformed part.
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

    /// Sets the form of the records on stderr; [`Console::Auto`] by default.
    pub fn console(mut self, console: Console) -> Self {
        self.console = Some(console);
        self
    }

    /// Adds a sink.
    ///
    /// [`install`](Self::install) fails if two sinks have the same name, or if one is called
    /// `console` while the console is on.
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.sinks.push(BoxSink::new(sink));
        self
    }

    /// Adds several sinks, such as those that the environment configures
    /// (`ragtrace_sinks::from_env()`).
    pub fn sinks(mut self, sinks: impl IntoIterator<Item = BoxSink>) -> Self {
        self.sinks.extend(sinks);
        self
    }

    /// Sets the limits on records that wait in memory, before the worker thread and before each
    /// sink; [`QueueLimits::default`] by default.
    pub fn queue(mut self, limits: QueueLimits) -> Self {
        self.queue = limits;
        self
    }

    /// Keeps records that cannot be delivered now on disk, in `folder`.
    ///
    /// The folder is created if it does not exist. Several processes may share it. It should be on
    /// a local disk. See [`crate::spool`].
    pub fn spool(mut self, folder: impl Into<PathBuf>, limits: SpoolLimits) -> Self {
        self.spool = Some((folder.into(), limits));
        self
    }

    /// Sets when records are written to disk; by default [`Durability::Spill`] if there is a spool,
    /// and [`Durability::Memory`] otherwise.
    ///
    /// Without a spool, any other setting than [`Durability::Memory`] makes
    /// [`install`](Self::install) fail.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// Sets the rules that find secrets, which are removed before records leave the process;
    /// [`Redactor::new`] by default.
    pub fn redact(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// Sets the size limits of a record; [`RecordLimits::default`] by default.
    pub fn record_limits(mut self, limits: RecordLimits) -> Self {
        self.record_limits = limits;
        self
    }

    /// Sets which traces are delivered; [`Sampler::all`] by default.
    pub fn sample(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Turns the program's `tracing` events and `log` lines into records, in a program without a
    /// `tracing` subscriber; off by default.
    ///
    /// With `true`, [`install`](Self::install) sets a global subscriber that consists of the
    /// [`layer`](fn@crate::layer) alone. It stays for the rest of the process. Events that no sink
    /// takes cost as little as without a subscriber. If the program already has a logger for `log`,
    /// its lines stay with that logger.
    ///
    /// If a global subscriber is already set, it stays in place, and a warning says to add
    /// `.with(ragtrace::layer())` to it, unless it has the layer. A layer inside of a
    /// `reload::Layer` cannot be detected, so do not use this setting together with one. A
    /// subscriber that is set for the current thread only (`tracing::subscriber::set_default`)
    /// keeps the events of its thread; a warning says so.
    #[cfg(feature = "tracing")]
    pub fn capture_tracing(mut self, is_on: bool) -> Self {
        self.captures_tracing = is_on;
        self
    }

    /// Reads the settings that code does not set from environment variables.
    ///
    /// | variable | sets | if unset |
    /// | --- | --- | --- |
    /// | `RAGTRACE_SERVICE` | [`service`](Self::service) | `DD_SERVICE`, `OTEL_SERVICE_NAME`, `service.name` |
    /// | `RAGTRACE_ENV` | [`environment`](Self::environment) | `DD_ENV`, `deployment.environment.name`, `deployment.environment` |
    /// | `RAGTRACE_VERSION` | [`version`](Self::version) | `DD_VERSION`, `service.version` |
    /// | `RAGTRACE_LOG` | [`level`](Self::level): a level, `target=level` directives, or both | |
    /// | `RAGTRACE_CONSOLE` | [`console`](Self::console): `auto`, `json`, `pretty` or `off` | |
    /// | `RAGTRACE_SPOOL` | the folder of [`spool`](Self::spool) | |
    /// | `RAGTRACE_SPOOL_BYTES` | the maximum number of bytes on disk for each sink, in the folder of `RAGTRACE_SPOOL` | 1 GiB |
    /// | `RAGTRACE_DURABILITY` | [`durability`](Self::durability): `memory`, `spill` or `durable` | |
    ///
    /// The names with dots are attributes in `OTEL_RESOURCE_ATTRIBUTES`. A variable that is empty
    /// or blank counts as unset. A `RAGTRACE_*` variable that is malformed or not UTF-8 makes
    /// [`install`](Self::install) fail; only the path in `RAGTRACE_SPOOL` may be any bytes. A
    /// malformed variable of another system is ignored with a warning on stderr. Settings made in
    /// code win, whether they are made before or after this call.
    ///
    /// Sinks are not read here; add them with `.sinks(ragtrace_sinks::from_env()?)`.
    pub fn from_env(self) -> Self {
        self.read_variables(|name| std::env::var_os(name))
    }

    /// Reads settings as [`from_env`](Self::from_env) does, from `lookup` instead of the
    /// environment.
    ///
    /// `lookup` returns the value of a variable, or `None` if it is not set.
    pub fn from_lookup(self, lookup: impl Fn(&str) -> Option<String>) -> Self {
        self.read_variables(|name| lookup(name).map(OsString::from))
    }

    fn read_variables(mut self, lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        self.variables = Some(Variables::read(lookup));
        self
    }

    /// Starts the worker thread and begins to record stages.
    ///
    /// Sinks connect when the first batch is delivered, so `install` succeeds while a backend is
    /// down.
    ///
    /// # Errors
    ///
    /// Returns an error if telemetry is already installed in this process, if a setting is
    /// malformed, if the name of a sink is invalid or used twice, if a sink panics when it is asked
    /// for its settings, or if the worker thread cannot be started.
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

/// Turns on the recording of `tracing` events that some sink takes.
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
        (None, Some(durability @ (Durability::Spill | Durability::Durable))) => Err(SetupError::setting(format!(
            "the durability {durability:?} needs a folder for the spool: set RAGTRACE_SPOOL or call `Builder::spool`"
        ))),
        (None, _) | (_, Some(Durability::Memory)) => Ok(None),
        (Some((folder, _)), _) if folder.as_os_str().is_empty() => {
            Err(SetupError::setting("the path of the spool's folder is empty: pass one to `Builder::spool`"))
        }
        (Some((folder, limits)), durability) => {
            let is_durable = durability == Some(Durability::Durable);
            Ok(Some(SpoolSettings { folder, limits, is_durable }))
        }
    }
}

/// Asks a sink for its settings once, and turns a panic of the sink into an error, so that it does
/// not end the application.
fn guarded(sink: BoxSink) -> Result<GuardedSink, SetupError> {
    GuardedSink::new(sink).map_err(|why| {
        SetupError::setting(format!("a sink panicked when it was asked for its name and settings: {why}"))
    })
}

/// Checks that the names of all sinks are valid and unique, since the spool, reports and dead
/// letters identify a sink by its name. The console counts as a sink while it is on.
fn check_names(console: Option<&GuardedSink>, sinks: &[GuardedSink]) -> Result<(), SetupError> {
    if let Some(fault) = sinks.iter().map(|sink| &sink.name[..]).find_map(fault_of_name) {
        return Err(SetupError::setting(format!("rename a sink: {fault}")));
    }
    let mut names = HashSet::new();
    match console.into_iter().chain(sinks).map(|sink| &sink.name[..]).find(|name| !names.insert(*name)) {
        Some(name) => Err(SetupError::setting(format!(
            "two sinks have the name `{name}`: rename one of them, for example with `.named(\"{name}-2\")`"
        ))),
        None => Ok(()),
    }
}

/// Returns a warning for each two sinks that fill a place that only one sink should fill.
fn twice_filled(sinks: &[GuardedSink]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (at, sink) in sinks.iter().enumerate() {
        let Some(place) = sink.needs.alone_in() else { continue };
        if let Some(other) = sinks[..at].iter().find(|other| other.needs.alone_in() == Some(place)) {
            let (one, other) = (&other.name, &sink.name);
            warnings.push(format!(
                "the sinks `{one}` and `{other}` both fill {place}, where everything will appear twice: remove one of them"
            ));
        }
    }
    warnings
}

fn host() -> Option<String> {
    let name = hostname::get().ok()?;
    name.into_string().ok().filter(|name| !name.is_empty())
}

/// Warns on stderr of each name that several stages declare, with the places of the declarations,
/// because the records of such stages cannot be told apart.
fn report_duplicates() {
    for same in stages().chunk_by(|one, other| one.name() == other.name()).filter(|same| same.len() > 1) {
        let places: Vec<_> = same.iter().map(|stage| format!("{}:{}", stage.file(), stage.line())).collect();
        let name = same[0].name();
        warning::print(&format!(
            "the stage `{name}` is declared {} times: {}; rename all but one, unless they do the same work",
            same.len(),
            places.join(", ")
        ));
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
        let warning = "the sinks `a` and `c` both fill Spans, where everything will appear twice: remove one of them";
        assert_eq!(twice_filled(&sinks), [warning]);
        assert!(twice_filled(&sinks[..3]).is_empty());
    }
}
