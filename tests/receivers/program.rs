//! Runs programs as their users do, each in a folder of its own.

use std::path::PathBuf;
use std::process::Command;

use ragtrace::Record;
use ragtrace_sinks::store::{self, Trace};

use crate::compare::Sent;

/// Returns the address of a receiver that `scripts/test-receivers` has started.
///
/// # Panics
///
/// Panics if there is none because the test was not run by that script.
pub fn address(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run scripts/test-receivers"))
}

/// A folder to run programs in.
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

/// The outcome of a program.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub code: Option<i32>,
    /// The standard output.
    pub stdout: String,
    /// The trace in the store, and the records as the console shows them.
    pub sent: Sent,
}

impl Folder {
    /// Creates a folder, which is removed at the end of the test.
    ///
    /// # Panics
    ///
    /// Panics if it cannot be created.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Returns the path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file into the folder.
    ///
    /// # Panics
    ///
    /// Panics if the file cannot be written.
    pub fn file(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    /// Runs a program to its end, with sinks for OTLP and SQLite, and returns its outcome with the
    /// last trace. Its environment has no settings but `environment`.
    ///
    /// # Panics
    ///
    /// Panics if the program cannot be run, reports that not everything was delivered, or leaves no
    /// trace.
    pub fn run(&self, program: &Program<'_>, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
        let mut command = Command::new(program.path());
        command.current_dir(self.0.path()).args(arguments);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["RAGTRACE_", "OTEL_", "DD_", "LANGSMITH_"].iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(&*name);
            }
        }
        command.env("RAGTRACE_SINKS", "otlp,sqlite").env("RAGTRACE_CONSOLE", "json");
        let output = command.envs(environment.iter().copied()).output().expect("the program runs");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        // Standard error contains only records, unless the program reports a problem.
        let of_json = |line: &&str| line.starts_with('{');
        let records = stderr.lines().filter(of_json).map(|line| Record::from_json(line).expect("a record"));
        let records: Vec<_> = records.collect();
        assert!(!records.is_empty() && !stderr.contains("warning:"), "{program:?} said: {stderr}");
        let sent = Sent { trace: self.last_trace(), records };
        Outcome { code: output.status.code(), stdout: String::from_utf8(output.stdout).expect("UTF-8"), sent }
    }

    fn last_trace(&self) -> Trace {
        let url = format!("sqlite:{}", self.path("ragtrace.db").display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let store = store::open(&url).await.expect("the run left a store");
            store.latest_trace().await.expect("a readable store").expect("a trace")
        })
    }
}

/// A program that records stages.
#[derive(Clone, Copy, Debug)]
pub enum Program<'a> {
    /// An example of the workspace.
    Example(&'a str),
    /// Any other program, by its path.
    At(&'a str),
}

impl Program<'_> {
    /// Returns the program's path. Cargo builds examples into the folder beside that of the tests.
    fn path(&self) -> PathBuf {
        match self {
            Self::At(path) => path.into(),
            Self::Example(name) => {
                let test = std::env::current_exe().expect("a path");
                let profile = test.parent().and_then(std::path::Path::parent).expect("the folder of the profile");
                profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION)
            }
        }
    }
}
