//! A viewer that runs as a process of its own.

use std::fmt::Write;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Answer, PATIENCE, connect, send};

/// A running viewer, which is killed when this is dropped.
pub(crate) struct Viewer {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// The token that it made, if it did.
    pub(crate) token: Option<String>,
}

/// Returns the command, without variables that the test's own environment may set.
pub(crate) fn command(store: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ragtrace"));
    command.args(["serve", "--store", store]).args(arguments);
    if !arguments.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command.env_remove("RAGTRACE_STORE").env_remove("NO_COLOR");
    command
}

/// Runs the command, which is expected to refuse, and returns its exit code and standard error.
pub(crate) fn refused(store: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(store, arguments).output().expect("the command runs");
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

impl Viewer {
    pub(crate) fn of(store: &str, arguments: &[&str]) -> Self {
        Self::start(&mut command(store, arguments))
    }

    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it prints its address");
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            let mut why = String::new();
            let _ = child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut why));
            panic!("it does not listen: {line}{why}");
        };
        let (address, fragment) = address.split_once('/').expect("an address");
        let token = fragment.strip_prefix("#token=").map(str::to_owned);
        Self { child, _stdout: stdout, address: address.parse().expect("an address"), token }
    }

    /// Sends `GET` for a path, with more headers.
    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.request("GET", path, headers, "")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// Sends JSON as a page of the viewer would, with more headers.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let own = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
        self.request("POST", path, &[&own, headers].concat(), body)
    }

    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            let _ = write!(request, "host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        if !body.is_empty() {
            let _ = write!(request, "content-length: {}\r\n", body.len());
        }
        request.push_str("\r\n");
        request.push_str(body);
        send(self.address, request.as_bytes())
    }

    /// Opens a stream of events, and returns it after its head.
    pub(crate) fn stream(&self, path: &str) -> BufReader<std::net::TcpStream> {
        let mut stream = connect(self.address);
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\naccept: text/event-stream\r\n\r\n", self.address);
        std::io::Write::write_all(&mut stream, head.as_bytes()).expect("sent");
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).expect("a status");
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        while line.trim() != "" {
            line.clear();
            stream.read_line(&mut line).expect("a header");
        }
        stream
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end, and returns the exit status and standard error.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                let mut said = String::new();
                self.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
                return (status, said);
            }
            assert!(asked.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns the number of files that the process has open.
    pub(crate) fn open_files(&self) -> Option<usize> {
        let folder = PathBuf::from(format!("/proc/{}/fd", self.child.id()));
        std::fs::read_dir(folder).ok().map(Iterator::count)
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Creates a SQLite store with these records.
pub(crate) fn holding(records: impl IntoIterator<Item = ragtrace::Record>) -> crate::support::File {
    runtime().block_on(crate::support::File::holding(records))
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Waits until a condition holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let asked = Instant::now();
    while !holds() {
        assert!(asked.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
