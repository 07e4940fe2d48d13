//! Runs the programs as their users do: each test in a folder of its own, with the run's records in
//! `ragtrace.db`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::time::{Duration, Instant};

use ragtrace::TraceId;
use ragtrace_sinks::store::{self, LogFilter, LogStore, Trace};

/// A limit far longer than anything here takes, at which a test fails that waits in vain.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder to run programs in.
pub(crate) struct Folder(tempfile::TempDir);

/// The outcome of a program.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    /// Returns the command in this folder, without variables that the test's own environment may
    /// set.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(example(program));
        command.current_dir(self.0.path()).args(arguments).env_remove("NO_COLOR");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RAGTRACE_") {
                command.env_remove(name);
            }
        }
        command
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Ended {
        Ended::from(self.command(program, arguments).output().expect("the program runs"))
    }

    pub(crate) async fn store(&self) -> LogStore {
        let url = format!("sqlite:{}", self.path("ragtrace.db").display());
        store::open(&url).await.expect("the run left a store")
    }

    /// Returns the trace of the last run.
    pub(crate) async fn last_trace(&self) -> Trace {
        self.store().await.latest_trace().await.expect("a readable store").expect("a trace")
    }

    /// Waits until the store has the start of a run of `stage`, and returns its trace.
    pub(crate) async fn started(&self, stage: &str) -> TraceId {
        let url = format!("sqlite:{}", self.path("ragtrace.db").display());
        let filter = LogFilter::new().stage(stage).limit(1);
        wait_for(stage, async || {
            let store = store::open(&url).await.ok()?;
            store.logs(filter.clone()).await.ok()?.first()?.trace_id()
        })
        .await
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ended {
    pub(crate) fn last_line(&self) -> &str {
        self.stdout.lines().last().expect("a last line")
    }
}

/// Returns the path of a program.
///
/// The package of these tests builds `ingest` and `ask` itself from the examples' own files. Other
/// programs are examples of the test's own package, which cargo puts into a folder beside its
/// tests.
fn example(program: &str) -> PathBuf {
    let built_here = match program {
        "ingest" => option_env!("CARGO_BIN_EXE_ingest"),
        "ask" => option_env!("CARGO_BIN_EXE_ask"),
        _ => None,
    };
    if let Some(path) = built_here {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a path");
    let profile = test.parent().and_then(Path::parent).expect("the folder of the profile");
    let path = profile.join("examples").join(program).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is not built: run `cargo build --workspace --examples`", path.display());
    path
}

/// Waits for the end of a process.
pub(crate) async fn end(child: &mut std::process::Child) -> ExitStatus {
    wait_for("the end", async || child.try_wait().expect("a child of ours")).await
}

/// Asks repeatedly until there is an answer.
pub(crate) async fn wait_for<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "no {what} in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
