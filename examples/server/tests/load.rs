//! Sends two hundred uploads at once to the service as a process. No record has another request's
//! ids, and each upload has one record that it was received and one that it was answered.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ragtrace::TraceId;
use ragtrace_sinks::store::{self, SpanNode, SpanStatus};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const UPLOADS: usize = 200;
const USERS: usize = 20;
const TENANTS: usize = 7;

/// A limit far longer than the uploads take together.
const PATIENCE: Duration = Duration::from_mins(2);

/// The service in a folder of its own. It is killed when this is dropped.
struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(folder: &Path) -> Self {
        let tokens: Vec<_> =
            (0..USERS).map(|user| format!("{}={}/{}", token(user), tenant(user), name(user))).collect();
        std::fs::write(folder.join("tokens"), tokens.join("\n")).expect("a file");
        let mut command = Command::new(program());
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("RAGTRACE_") {
                command.env_remove(variable);
            }
        }
        command.current_dir(folder).args(["--listen", "127.0.0.1:0", "--data", ".", "--tokens-file", "tokens"]);
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program runs");
        let mut said = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(said.read_line(&mut line).expect("text") > 0, "it ends before it listens");
            if let Some((_, address)) = line.trim_end().split_once("listening on http://") {
                break address.to_owned();
            }
        };
        // Later lines go to the test's own standard error, and never fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::stderr()));
        Self { process, address }
    }

    /// Asks the service to end, and waits for it.
    fn end(&mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &id]).status().expect("a shell");
        assert!(sent.success());
        let begin = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("a child of ours") {
                return status.code();
            }
            assert!(begin.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the path of the program. Cargo builds the examples of a package together with its tests,
/// into the folder beside theirs.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let profile = test.parent().and_then(Path::parent).expect("the folder of the profile");
    let path = profile.join("examples/server").with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is not built: run `cargo build -p ragtrace-server --examples`", path.display());
    path
}

fn name(user: usize) -> String {
    format!("user-{user}")
}

fn tenant(user: usize) -> String {
    format!("tenant-{}", user % TENANTS)
}

fn token(user: usize) -> String {
    format!("a-token-that-nobody-guesses-{user:04}")
}

/// One upload: some documents that can be read, and in some uploads a file that cannot.
struct Upload(usize);

impl Upload {
    fn user(&self) -> usize {
        self.0 % USERS
    }

    fn trace(&self) -> TraceId {
        format!("{:032x}", 0x0af7_6519_16cd_43dd_0000_0000_0000_0000_u128 + self.0 as u128).parse().expect("an id")
    }

    fn request(&self) -> String {
        format!("upload-{}", self.0)
    }

    /// Returns the number of documents that can be read, which is zero in every twentieth upload.
    fn good(&self) -> usize {
        if self.0.is_multiple_of(20) { 0 } else { 1 + self.0 % 3 }
    }

    fn has_broken(&self) -> bool {
        self.0.is_multiple_of(10)
    }

    /// Returns the names of the files, which no other upload has.
    fn files(&self) -> BTreeSet<String> {
        let good = (0..self.good()).map(|part| format!("upload-{}-part-{part}.md", self.0));
        good.chain(self.has_broken().then(|| format!("upload-{}-broken.pdf", self.0))).collect()
    }

    fn body(&self) -> String {
        let mut body = String::new();
        for name in self.files() {
            let content = if name.contains("broken") {
                "%PDF-1.7\nand no more of it".to_owned()
            } else {
                format!("# Notes of {name}\n\nThe well of {name} is deep. ").repeat(4)
            };
            let _ = write!(
                body,
                "--the-boundary\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n{content}\r\n"
            );
        }
        body.push_str("--the-boundary--\r\n");
        body
    }

    /// Sends the upload over a connection of its own, and returns the head and the body of the
    /// answer.
    async fn send(&self, address: &str) -> (String, Value) {
        let body = self.body();
        let head = format!(
            "POST /api/ingest HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             content-type: multipart/form-data; boundary=the-boundary\r\ncontent-length: {}\r\n\
             x-request-id: {}\r\ntraceparent: 00-{}-b7ad6b7169203331-01\r\n\r\n",
            token(self.user()),
            body.len(),
            self.request(),
            self.trace().to_string().replace('-', ""),
        );
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(head.as_bytes()).await.expect("it reads the head");
        stream.write_all(body.as_bytes()).await.expect("it reads the body");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
        (head.to_ascii_lowercase(), body)
    }

    /// Compares the answer with what was sent.
    fn check_answer(&self, head: &str, body: &Value) {
        let status = if self.good() > 0 { "http/1.1 200" } else { "http/1.1 422" };
        assert!(head.starts_with(status), "{}: {head}\n{body}", self.0);
        let trace = self.trace().to_string();
        assert!(head.contains(&format!("x-trace-id: {trace}")), "{}: {head}", self.0);
        assert_eq!(body["trace_id"], trace, "{body}");
        let files = body["files"].as_array().map_or(&[][..], Vec::as_slice);
        let of = |status: &str| files.iter().filter(|file| file["status"] == status).count();
        assert_eq!((of("stored"), of("failed")), (self.good(), usize::from(self.has_broken())), "{body}");
        let names: BTreeSet<_> = files.iter().filter_map(|file| file["name"].as_str().map(str::to_owned)).collect();
        assert_eq!(names, self.files(), "{body}");
    }

    /// Compares the trace in the store with what was sent.
    fn check_trace(&self, trace: &store::Trace) {
        let shown = || trace.logs().iter().map(store::LogRow::to_json).collect::<Vec<_>>().join("\n");
        let (user, tenant, request) = (name(self.user()), tenant(self.user()), self.request());
        for row in trace.logs() {
            let ids = (row.user_id(), row.tenant_id(), row.request_id());
            assert_eq!(ids, (Some(&*user), Some(&*tenant), Some(&*request)), "{}", shown());
        }
        let with = |message: &str| trace.logs().iter().filter(|row| row.message() == message).count();
        let ends = ["http_response_sent", "http_request_failed", "http_request_cancelled"].map(with);
        assert_eq!((with("http_request_received"), ends), (1, [1, 0, 0]), "{}", shown());
        let root = trace.roots().next().expect("a root");
        assert_eq!((trace.roots().count(), root.stage()), (1, "POST /api/ingest"), "{}", shown());
        let has_ended = |span: SpanNode<'_>| matches!(span.status(), SpanStatus::Completed | SpanStatus::Failed);
        assert!(trace.spans().all(has_ended), "{}", shown());
        let read: Vec<_> = trace.spans().filter(|span| span.stage() == "file_parsing").collect();
        assert_eq!(read.len(), self.files().len(), "{}", shown());
        let stored = trace.spans().filter(|span| span.stage() == "data_storage").filter_map(SpanNode::count);
        assert_eq!(stored.filter(|chunks| *chunks > 0).count(), self.good(), "{}", shown());
        // No record mentions another upload's files.
        let own = format!("upload-{}-", self.0);
        for row in trace.logs() {
            let json = row.to_json();
            let others = json.match_indices("upload-").filter(|(at, _)| {
                let rest = &json[*at..];
                !rest.starts_with(&own) && !rest.starts_with(&format!("{request}\""))
            });
            assert_eq!(others.count(), 0, "{own}: {json}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_uploads_at_once_do_not_mix_their_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut service = Service::start(folder.path());
    let mut sending = JoinSet::new();
    for number in 0..UPLOADS {
        let address = service.address.clone();
        sending.spawn(async move {
            let upload = Upload(number);
            let (head, body) = upload.send(&address).await;
            upload.check_answer(&head, &body);
        });
    }
    let all = async {
        while let Some(outcome) = sending.join_next().await {
            outcome.expect("each is answered as it should be");
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("all are answered in time");
    assert_eq!(service.end(), Some(0), "it ends when all is delivered");

    let url = format!("sqlite:{}", folder.path().join("ragtrace.db").display());
    let logs = store::open(&url).await.expect("it left a store");
    for upload in (0..UPLOADS).map(Upload) {
        let trace = logs.trace(upload.trace()).await.expect("a readable store").expect("a trace");
        upload.check_trace(&trace);
    }
}
