//! The programs' stage logs: they are set up from the environment, and delivered at the end, when
//! the run's trace is drawn.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use ragtrace::sink::BoxSink;
use ragtrace::{Console, Report, RequestContext, Telemetry, TelemetryHandle, TraceId};

/// The longest time for which work that cannot be stopped may continue after Ctrl-C.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// The longest time for delivering the last records.
const DELIVERY: Duration = Duration::from_secs(5);

/// Returns the request context for a run of a program, in a trace of its own. An unknown user or
/// tenant is left out.
pub fn request(request_type: &str, user: Option<&str>, tenant: Option<&str>) -> RequestContext {
    let request = RequestContext::new().with_request_type(request_type);
    let request = user.into_iter().fold(request, RequestContext::with_user_id);
    tenant.into_iter().fold(request, RequestContext::with_tenant_id)
}

/// The telemetry of a program.
#[derive(Debug)]
pub struct StageLogs {
    telemetry: Telemetry,
    /// The URL from which the stage logs can be read back, if there is one.
    store: Option<String>,
}

impl StageLogs {
    /// Sets up the telemetry from the environment: the sinks that `RAGTRACE_SINKS` names, and
    /// everything else from `RAGTRACE_*`. The console is off unless `RAGTRACE_CONSOLE` is set,
    /// since the programs print their own messages.
    pub fn install(service: &str) -> Result<Self, Box<dyn Error>> {
        Self::install_with(service, None)
    }

    /// Sets up the telemetry like [`install`](Self::install), with additional sinks of the program.
    pub fn install_with(service: &str, own: impl IntoIterator<Item = BoxSink>) -> Result<Self, Box<dyn Error>> {
        let sinks = ragtrace_sinks::from_env()?;
        let goes_to = |name: &str| sinks.iter().any(|sink| ragtrace::Sink::name(sink) == name);
        let store = if goes_to("sqlite") {
            Some(sqlite_url())
        } else if goes_to("postgres") {
            postgres_url()
        } else {
            None
        };
        let mut builder =
            ragtrace::builder().service(service).version(env!("CARGO_PKG_VERSION")).from_env().sinks(sinks).sinks(own);
        // The losses of a document are events of `tracing`.
        builder = builder.capture_tracing(true);
        if !Self::are_on_console() {
            builder = builder.console(Console::Off);
        }
        Ok(Self { telemetry: builder.install()?, store })
    }

    /// Returns a handle of the telemetry, for a program's state.
    pub fn handle(&self) -> TelemetryHandle {
        self.telemetry.handle()
    }

    /// Returns the URL of the store from which the stage logs can be read back, if there is one.
    pub fn store_url(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// Returns `true` if the environment asks for records on standard error, where they would
    /// collide with a progress bar.
    pub fn are_on_console() -> bool {
        std::env::var("RAGTRACE_CONSOLE").is_ok_and(|form| !matches!(form.to_ascii_lowercase().as_str(), "" | "off"))
    }

    /// Delivers the remaining records, and draws the trace `draw` on standard output if it can be
    /// read back. A program calls this after its runtime has ended, when no stage can be running.
    /// Problems are printed on standard error and do not fail the program.
    pub fn end(self, draw: Option<TraceId>) {
        let report = self.telemetry.shutdown_blocking(DELIVERY);
        if !is_whole(&report) {
            eprintln!("warning: not all stage logs were delivered: {report}");
        }
        if let (Some(url), Some(id)) = (self.store, draw) {
            waterfall::draw(&url, id);
        }
    }
}

fn is_whole(report: &Report) -> bool {
    let stats = &report.stats;
    report.complete
        && stats.dropped.total() == 0
        && stats.sinks.iter().all(|sink| sink.dropped == 0 && sink.dead_lettered == 0)
}

fn sqlite_url() -> String {
    let path = std::env::var("RAGTRACE_SQLITE_PATH").ok().filter(|path| !path.is_empty());
    format!("sqlite:{}", path.as_deref().unwrap_or("ragtrace.db"))
}

/// Returns the URL of the database that the sink writes to, including its schema.
fn postgres_url() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let url = set("DATABASE_URL")?;
    let Some(schema) = set("RAGTRACE_POSTGRES_SCHEMA") else { return Some(url) };
    let sign = if url.contains('?') { '&' } else { '?' };
    let mut url = format!("{url}{sign}schema=");
    for byte in schema.bytes() {
        write!(url, "%{byte:02X}").expect("writing to a text cannot fail");
    }
    Some(url)
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod waterfall {
    use std::error::Error;
    use std::io::{self, IsTerminal, Write};

    use ragtrace::TraceId;
    use ragtrace_sinks::store::{self, Trace, Waterfall};

    use crate::report::one_line;

    /// The width in columns if standard output is not a terminal.
    const WIDTH: usize = 100;
    /// The largest number of lines drawn. A run of many documents has thousands of stages, which
    /// nobody reads.
    const LINES: usize = 40;

    pub(super) fn draw(url: &str, id: TraceId) {
        if let Err(error) = try_draw(url, id) {
            eprintln!("warning: the trace cannot be drawn: {}", one_line(error.as_ref()));
        }
    }

    fn try_draw(url: &str, id: TraceId) -> Result<(), Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let Some(trace) = runtime.block_on(read(url, id))? else { return Ok(()) };
        let stdout = io::stdout();
        let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let width = terminal_size::terminal_size_of(&stdout).map_or(WIDTH, |(width, _)| usize::from(width.0));
        let picture = Waterfall::new(&trace).width(width).colour(colour).to_string();
        // A closed pipe, as in `ingest … | head -1`, is not an error.
        let _ = write(&mut stdout.lock(), &picture, id);
        Ok(())
    }

    async fn read(url: &str, id: TraceId) -> Result<Option<Trace>, store::StoreError> {
        match store::open(url).await {
            Ok(store) => store.trace(id).await,
            // Nothing was recorded, or the reason was printed already.
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(out: &mut impl Write, picture: &str, id: TraceId) -> io::Result<()> {
        let lines = picture.lines().count();
        // Hiding a few lines would save less than the line that says so.
        let shown = if lines > LINES + 5 { LINES } else { lines };
        picture.lines().take(shown).try_for_each(|line| writeln!(out, "{line}"))?;
        if shown < lines {
            writeln!(out, "… and {} lines more: ragtrace trace {id}", lines - shown)?;
        }
        writeln!(out)
    }
}

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
mod waterfall {
    use ragtrace::TraceId;

    /// Draws nothing, since this build has no store.
    pub(super) fn draw(_: &str, _: TraceId) {}
}
