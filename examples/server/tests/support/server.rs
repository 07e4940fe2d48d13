//! The service's process, in a folder of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use ragtrace::TraceId;
use ragtrace_sinks::store::{self, Trace};

use super::client::Request;
use super::wait_for;

/// A service that runs until it is dropped.
pub(crate) struct Server {
    folder: Arc<tempfile::TempDir>,
    child: Child,
    pub(crate) address: SocketAddr,
    stderr: Arc<Mutex<String>>,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().expect("a folder")), arguments, environment)
    }

    /// Kills the service, and starts another one in the same folder.
    pub(crate) fn restart(self, arguments: &[&str]) -> Self {
        let folder = Arc::clone(&self.folder);
        drop(self);
        Self::start_in(folder, arguments, &[])
    }

    fn start_in(folder: Arc<tempfile::TempDir>, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(folder.path(), &[&["--listen", "127.0.0.1:0"], arguments].concat());
        let mut child = command.envs(environment.iter().copied()).spawn().expect("the program runs");
        let lines = BufReader::new(child.stderr.take().expect("a pipe"));
        let stderr = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&stderr);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                *told.lock().expect("no panic") += &(line + "\n");
            }
        });
        let address = wait_for("address", || {
            let told = stderr.lock().expect("no panic");
            assert!(!told.contains("error: "), "{told}");
            let line = told.lines().find_map(|line| line.strip_prefix("listening on http://"))?;
            Some(line.parse().expect("an address"))
        });
        Self { folder, child, address, stderr }
    }

    /// Starts a service that contains the sample documents.
    pub(crate) fn with_samples() -> Self {
        let server = Self::start(&[]);
        let names = ["guide.md", "faq.html", "field-notes.txt", "specification.pdf"];
        let form = names.iter().fold(super::multipart::Form::new(), |form, name| form.file(name, &sample(name)));
        let answer = server.post("/api/ingest").form(form).send();
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("completed")));
        server
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        Request::new(self.address, "GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Request {
        Request::new(self.address, "POST", path)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address, method, path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the folders of uploads.
    pub(crate) fn upload_folders(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder").map(|entry| entry.expect("an entry"));
        let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".ragtrace-server-uploads-"));
        ours.map(|entry| entry.path()).collect()
    }

    /// Returns the number of files of uploads in progress.
    pub(crate) fn uploads(&self) -> usize {
        let names = |folder: PathBuf| {
            std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name())
        };
        self.upload_folders().into_iter().flat_map(names).filter(|name| name != "lock").count()
    }

    /// Returns everything that was printed on standard error.
    pub(crate) fn told(&self) -> String {
        self.stderr.lock().expect("no panic").clone()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_some()
    }

    /// Waits for the end of the process.
    pub(crate) fn end(&mut self) -> ExitStatus {
        wait_for("the end", || self.child.try_wait().expect("a child of ours"))
    }

    /// Waits until a trace in the store satisfies `is_whole`.
    pub(crate) fn stored(&self, id: TraceId, is_whole: impl Fn(&Trace) -> bool) -> Trace {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        wait_for("trace", || {
            runtime.block_on(async {
                let store = store::open(&format!("sqlite:{}", self.path("ragtrace.db").display())).await.ok()?;
                store.trace(id).await.expect("a readable store").filter(&is_whole)
            })
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the command in a folder, without variables that the test's own environment may set.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let test = std::env::current_exe().expect("a path");
    let profile = test.parent().and_then(Path::parent).expect("the folder of the profile");
    let path = profile.join("examples/server").with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is not built: run `cargo build -p ragtrace-server --examples`", path.display());
    let mut command = Command::new(path);
    command.current_dir(folder).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RAGTRACE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Returns the bytes of a sample document.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)).expect("a sample")
}
