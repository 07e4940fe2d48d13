//! The builder.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ragtrace_core::Level;
use ragtrace_core::gate::Listening;
use ragtrace_core::queue::{QueueLimits, install, uninstall};
use ragtrace_core::stage::{abort, panic, stages};
use uuid::Uuid;

use crate::console::{Console, ConsoleSink};
use crate::pipeline::{Plan, Published, Refiner, SpoolSettings, StageTotals, start};
use crate::record::{Origin, RecordLimits};
use crate::redact::Redactor;
use crate::sample::Sampler;
use crate::setup::telemetry::flusher;
use crate::setup::{Telemetry, TelemetryHandle};
use crate::sink::{BoxSink, Sink};
use crate::spool::{Durability, SpoolLimits};
use crate::warning;

/// What to set up; made by [`builder`].
#[derive(Debug)]
#[must_use = "nothing is set up before `install()`"]
pub struct Builder {
    service: Option<String>,
    environment: Option<String>,
    version: Option<String>,
    level: Result<Level, String>,
    console: Console,
    sinks: Vec<BoxSink>,
    queue: QueueLimits,
    spool: Option<(PathBuf, SpoolLimits)>,
    durability: Option<Durability>,
    redactor: Redactor,
    record_limits: RecordLimits,
    sampler: Sampler,
    /// What is wrong with a setting of the environment.
    malformed: Option<String>,
}

/// Begins to set up: no service name, level `info`, console [`Console::Auto`], no sinks.
pub fn builder() -> Builder {
    Builder {
        service: None,
        environment: None,
        version: None,
        level: Ok(Level::Info),
        console: Console::Auto,
        sinks: Vec::new(),
        queue: QueueLimits::default(),
        spool: None,
        durability: None,
        redactor: Redactor::new(),
        record_limits: RecordLimits::default(),
        sampler: Sampler::all(),
        malformed: None,
    }
}

impl Builder {
    /// The name of this service, in every record.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Where it runs, such as `production`, in every record.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// The version of this service, in every record.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The least severe level that is logged, by name; `info` unless set. A level that does not exist is an error of
    /// [`Builder::install`].
    pub fn level(mut self, level: impl AsRef<str>) -> Self {
        self.level = level.as_ref().parse::<Level>().map_err(|error| error.to_string());
        self
    }

    /// Whether and how records are shown on stderr.
    pub fn console(mut self, console: Console) -> Self {
        self.console = console;
        self
    }

    /// One more sink.
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.sinks.push(BoxSink::new(sink));
        self
    }

    /// More sinks.
    pub fn sinks(mut self, sinks: impl IntoIterator<Item = BoxSink>) -> Self {
        self.sinks.extend(sinks);
        self
    }

    /// How much may wait in memory.
    pub fn queue(mut self, limits: QueueLimits) -> Self {
        self.queue = limits;
        self
    }

    /// Keeps on disk, in this folder, what cannot be delivered now. Several processes may share the folder; put it on a
    /// disk of this machine. See [`crate::spool`].
    pub fn spool(mut self, folder: impl Into<PathBuf>, limits: SpoolLimits) -> Self {
        self.spool = Some((folder.into(), limits));
        self
    }

    /// When records go to disk; [`Durability::Spill`] once there is a spool, unless set. Without a spool anything but
    /// [`Durability::Memory`] is an error of [`Builder::install`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// What counts as a secret and does not leave the process; [`Redactor::new`] unless set.
    pub fn redact(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// How large a record may be.
    pub fn record_limits(mut self, limits: RecordLimits) -> Self {
        self.record_limits = limits;
        self
    }

    /// Which traces are shipped; all unless set.
    pub fn sample(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Takes over what the environment sets: `RAGTRACE_SERVICE`, `RAGTRACE_ENV`, `RAGTRACE_VERSION`, `RAGTRACE_LOG` (a
    /// level), `RAGTRACE_CONSOLE` (`auto`, `json`, `pretty`, `off`), `RAGTRACE_SPOOL` (a folder), `RAGTRACE_SPOOL_BYTES`
    /// (bytes on disk for one sink, where there is a spool) and `RAGTRACE_DURABILITY` (`memory`, `spill`, `durable`). A
    /// variable that is empty counts as not set, and one that is malformed is an error of [`Builder::install`].
    pub fn from_env(mut self) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        self.service = variable("RAGTRACE_SERVICE").or(self.service);
        self.environment = variable("RAGTRACE_ENV").or(self.environment);
        self.version = variable("RAGTRACE_VERSION").or(self.version);
        if let Some(folder) = variable("RAGTRACE_SPOOL") {
            let limits = self.spool.map(|(_, limits)| limits).unwrap_or_default();
            self.spool = Some((folder.into(), limits));
        }
        if let (Some(bytes), Some((_, limits))) = (variable("RAGTRACE_SPOOL_BYTES"), &mut self.spool) {
            match bytes.parse() {
                Ok(bytes) => limits.bytes = bytes,
                Err(_) => self.malformed = Some(format!("RAGTRACE_SPOOL_BYTES: {bytes:?} is no number of bytes")),
            }
        }
        if let Some(name) = variable("RAGTRACE_DURABILITY") {
            self.durability = Durability::from_name(&name);
            if self.durability.is_none() {
                let why = format!("unknown durability {name:?}: use memory, spill or durable");
                self.malformed = Some(format!("RAGTRACE_DURABILITY: {why}"));
            }
        }
        if let Some(level) = variable("RAGTRACE_LOG") {
            self.level = level.parse::<Level>().map_err(|error| format!("RAGTRACE_LOG: {error}"));
        }
        if let Some(console) = variable("RAGTRACE_CONSOLE") {
            match console.parse() {
                Ok(console) => self.console = console,
                Err(error) => self.malformed = Some(format!("RAGTRACE_CONSOLE: {error}")),
            }
        }
        self
    }

    /// Starts the worker; from here on stages are recorded. Sinks connect when they have something to deliver.
    ///
    /// # Errors
    ///
    /// If telemetry is installed already, a setting is malformed, or the worker's thread cannot be started.
    pub fn install(self) -> Result<Telemetry, SetupError> {
        if let Some(why) = self.malformed {
            return Err(SetupError::Setting(why));
        }
        let level = self.level.map_err(SetupError::Setting)?;
        let spool = spool_settings(self.spool, self.durability)?;
        let queue = install(self.queue).ok_or(SetupError::Installed)?;
        panic::install_hook();
        report_duplicates();
        let origin = Origin {
            service: self.service,
            environment: self.environment,
            version: self.version,
            host: host(),
            instance: Uuid::now_v7(),
        };
        let published = Published::default();
        let stage_totals = StageTotals::default();
        let (commands, received) = tokio::sync::mpsc::unbounded_channel();
        let started = start(Plan {
            queue: Arc::clone(&queue),
            origin: Arc::new(origin),
            level,
            console: ConsoleSink::new(self.console).map(BoxSink::new),
            sinks: self.sinks,
            share: self.queue,
            spool,
            refiner: Refiner::new(self.redactor, self.record_limits),
            sampler: self.sampler,
            commands: received,
            published: published.clone(),
            stage_totals: stage_totals.clone(),
        });
        match started {
            Ok(thread) => {
                if abort::ENDS_THE_PROCESS {
                    abort::flush_by(thread.thread().id(), flusher(&commands));
                }
                let handle = TelemetryHandle::new(commands.downgrade(), published, stage_totals);
                Ok(Telemetry::new(handle, commands, queue, Listening::begin()))
            }
            Err(error) => {
                uninstall(&queue);
                Err(SetupError::Thread(error))
            }
        }
    }
}

/// Why telemetry could not be set up.
#[derive(Debug)]
#[non_exhaustive]
pub enum SetupError {
    /// Telemetry is installed already; it must be shut down first.
    Installed,
    /// A setting is malformed.
    Setting(String),
    /// The worker's thread could not be started.
    Thread(std::io::Error),
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => f.write_str("telemetry is installed already: install it once, where the program begins"),
            Self::Setting(what) => f.write_str(what),
            Self::Thread(_) => f.write_str("the telemetry thread could not be started"),
        }
    }
}

impl std::error::Error for SetupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread(error) => Some(error),
            Self::Installed | Self::Setting(_) => None,
        }
    }
}

fn spool_settings(
    spool: Option<(PathBuf, SpoolLimits)>,
    durability: Option<Durability>,
) -> Result<Option<SpoolSettings>, SetupError> {
    match (spool, durability) {
        (None, Some(Durability::Spill | Durability::Durable)) => {
            Err(SetupError::Setting("records can only be kept on disk with a folder for it: set `spool`".to_owned()))
        }
        (None, _) | (_, Some(Durability::Memory)) => Ok(None),
        (Some((folder, limits)), durability) => {
            let is_durable = durability == Some(Durability::Durable);
            Ok(Some(SpoolSettings { folder, limits, is_durable }))
        }
    }
}

fn host() -> Option<String> {
    let name = hostname::get().ok()?;
    name.into_string().ok().filter(|name| !name.is_empty())
}

/// Says on stderr which names are declared more than once, and where: their records cannot be told apart.
fn report_duplicates() {
    for same in stages().chunk_by(|one, other| one.name() == other.name()).filter(|same| same.len() > 1) {
        let places: Vec<_> = same.iter().map(|stage| format!("{}:{}", stage.file(), stage.line())).collect();
        let name = same[0].name();
        warning::line(&format!("the stage `{name}` is declared {} times: {}", same.len(), places.join(", ")));
    }
}
