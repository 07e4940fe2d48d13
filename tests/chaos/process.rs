//! Processes to start and kill.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use ragtrace::Record;
use ragtrace_tests::{Reply, Scripted, Trace, read_lines};
use tempfile::TempDir;

/// A spool, and the file that a sink writes to.
pub(crate) struct Workdir {
    _folder: TempDir,
    pub(crate) spool: PathBuf,
    pub(crate) file: PathBuf,
    /// The variables of the children.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Workdir {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (spool, file) = (folder.path().join("spool"), folder.path().join("arrived"));
        Self { _folder: folder, spool, file, variables: Vec::new() }
    }

    pub(crate) fn command(&self, work: Work) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaos-child"));
        command.args(self.args(work));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Returns the arguments of the child.
    pub(crate) fn args(&self, work: Work) -> Vec<String> {
        let Work { task, manner, durability, from, runs, spool_bytes, when_full, sampler } = work;
        let paths = [&self.spool, &self.file].map(|path| path.display().to_string());
        let numbers = [from, runs, spool_bytes].map(|number| number.to_string());
        let mut args = vec![task.to_owned()];
        args.extend(paths);
        args.extend([manner.to_owned(), durability.to_owned()]);
        args.extend(numbers);
        args.extend([when_full, sampler].map(str::to_owned));
        args
    }

    pub(crate) fn start(&self, work: Work) -> Running {
        let mut child = self.command(work).spawn().expect("the child starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped"));
        Running { child, lines }
    }

    pub(crate) fn run(&self, work: Work) -> Output {
        self.command(work).output().expect("the child runs")
    }

    /// Delivers the contents of the spool, and returns the output.
    pub(crate) fn drain(&self) -> String {
        self.drain_with("all")
    }

    /// Delivers the contents of the spool with a sampler, which decides about undecided traces.
    pub(crate) fn drain_with(&self, sampler: &'static str) -> String {
        let output = self.run(Work { task: "drain", sampler, ..Work::default() });
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("complete=true balanced=true"), "{said}");
        said
    }

    /// Returns the records that arrived, according to the ledger of batches. Fails the test if a
    /// batch changed, or a record came in two batches.
    pub(crate) fn arrived(&self) -> HashSet<Trace> {
        let mut ledger = HashMap::new();
        let mut arrived = HashSet::new();
        for line in read_lines(&self.file) {
            if let Some(earlier) = ledger.get(&line.id) {
                assert_eq!(*earlier, line.traces, "a batch keeps its records");
            } else {
                for trace in &line.traces {
                    assert!(arrived.insert(*trace), "{trace:?} arrived in two batches");
                }
                ledger.insert(line.id, line.traces);
            }
        }
        arrived
    }
}

/// The task of a child.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    pub(crate) task: &'static str,
    pub(crate) manner: &'static str,
    pub(crate) durability: &'static str,
    pub(crate) from: u64,
    pub(crate) runs: u64,
    pub(crate) spool_bytes: u64,
    /// The records dropped when the spool is full: the `oldest` or the `newest`.
    pub(crate) when_full: &'static str,
    /// The traces that are shipped: `all`, those with `errors`, or those that are `slow`.
    pub(crate) sampler: &'static str,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            task: "issue",
            manner: "up",
            durability: "spill",
            from: 0,
            runs: 0,
            spool_bytes: 1 << 30,
            when_full: "oldest",
            sampler: "all",
        }
    }
}

/// A running child, which is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    /// Returns the next line of output, or `None` at its end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).expect("its lines are text");
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Closes the standard input, waits for the end, and returns the output since the last line
    /// that was read.
    pub(crate) fn end(mut self) -> Output {
        drop(self.child.stdin.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.lines.read_to_end(&mut stdout).expect("it says something");
        let mut errors = self.child.stderr.take().expect("it is piped");
        errors.read_to_end(&mut stderr).expect("it says something");
        Output { status: self.child.wait().expect("it was ours"), stdout, stderr }
    }

    /// Kills the child, and returns its remaining output.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it was ours");
        std::iter::from_fn(|| self.line()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The child may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the bytes that a folder's files take on disk, and their lengths together.
pub(crate) fn disk_use(folder: &Path) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    let mut total = (0, 0);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, Ok(meta)) = (entry.path(), entry.metadata()) else { continue };
        let (blocks, length) = if meta.is_dir() { disk_use(&path) } else { (meta.blocks() * 512, meta.len()) };
        total = (total.0 + blocks, total.1 + length);
    }
    total
}

/// Returns a sink that keeps the records that arrive, and those records.
pub(crate) fn collecting() -> (Scripted, Arc<Mutex<Vec<Record>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeping = Arc::clone(&kept);
    let take = move |record: &Record| keeping.lock().expect("nobody panicked with it").push(record.clone());
    (Scripted::new("collecting", |_| Reply::Take, take), kept)
}
