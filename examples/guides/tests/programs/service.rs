use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use ragtrace_sinks::store::Trace;

use crate::program::{Folder, end};
use crate::run::{outline, traces};

const TIMEOUT: Duration = Duration::from_mins(1);

/// A service that is killed if a test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// A response as it was received.
struct Answer {
    status: String,
    trace_id: Option<String>,
    body: String,
}

fn send(address: &str, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a limit");
    let length = body.len();
    let request = format!("{head}\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let trace_id = head.lines().find_map(|line| line.strip_prefix("x-trace-id: ").map(str::to_owned));
    Answer { status: head.lines().next().expect("a status").to_owned(), trace_id, body: body.to_owned() }
}

/// Starts the service, and returns it, the lines of its standard error, and its address.
fn start(folder: &Folder) -> (Running, Lines<BufReader<ChildStderr>>, String) {
    let mut command = folder.command("service", &["127.0.0.1:0"]);
    let mut service = Running(command.stderr(Stdio::piped()).spawn().expect("the service starts"));
    let mut lines = BufReader::new(service.0.stderr.take().expect("a pipe")).lines();
    let address = lines
        .by_ref()
        .map(|line| line.expect("a line"))
        .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned));
    (service, lines, address.expect("an address"))
}

fn send_signal(service: &Running, signal: &str) {
    let sent = Command::new("kill").args([signal, &service.0.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

#[tokio::test]
async fn a_service_that_is_terminated_delivers_its_records_also_where_a_client_sends_half_a_request() {
    let folder = Folder::new();
    let (mut service, lines, address) = start(&folder);
    let mut half = TcpStream::connect(&address).expect("a connection");
    half.set_read_timeout(Some(TIMEOUT)).expect("a limit");
    let head = "POST /collections/manuals/ask HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    half.write_all(head.as_bytes()).expect("a head");
    // The service asks for the body, so the request has begun; the body never comes.
    let mut asked = [0; 25];
    half.read_exact(&mut asked).expect("an answer");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let whole = send(&address, "POST /collections/manuals/ask HTTP/1.1", "pump oil");
    assert!(whole.status.contains("200"), "{}", whole.status);

    send_signal(&service, "-TERM");
    let ended = end(&mut service.0).await;
    let told: String = lines.map(|line| line.expect("a line") + "\n").collect();
    assert!(ended.success() && told.contains("sqlite: 8 delivered"), "{ended}: {told}");
    let root = "POST /collections/{collection}/ask";
    let traces = traces(&folder).await;
    assert!(traces.iter().any(|trace| outline(trace) == [format!("{root} cancelled")]), "what is cut off is recorded");
    assert!(traces.iter().any(|trace| outline(trace)[0] == format!("{root} completed")));
}

#[tokio::test]
async fn each_request_is_a_trace_that_its_answer_names() {
    let folder = Folder::new();
    let (mut service, lines, address) = start(&folder);
    let known = send(
        &address,
        "POST /collections/manuals/ask HTTP/1.1\r\nauthorization: Bearer token-of-alice\r\nx-user-id: mallory",
        "pump oil",
    );
    assert_eq!(known.body, "pump oil? See a page about pump and a page about oil.\n");
    assert!(known.status.contains("200"), "{}", known.status);
    let down = send(&address, "POST /collections/archive/ask HTTP/1.1", "pump");
    assert!(down.status.contains("503") && down.body == "the index is down\n", "{} {}", down.status, down.body);
    let unknown = send(&address, "POST /collections/none/ask HTTP/1.1", "pump");
    assert!(unknown.status.contains("404"), "{}", unknown.status);
    let health = send(&address, "GET /healthz HTTP/1.1", "");
    assert_eq!((health.body.as_str(), health.trace_id), ("well\n", None));

    send_signal(&service, "-INT");
    let ended = end(&mut service.0).await;
    let told: String = lines.map(|line| line.expect("a line") + "\n").collect();
    assert!(ended.success() && told.contains("sqlite: 14 delivered"), "{ended}: {told}");

    let traces = traces(&folder).await;
    let root = "POST /collections/{collection}/ask";
    assert_eq!(outline(&traces[0]), [&format!("{root} completed"), "  retrieval completed", "  answer completed"]);
    assert_eq!(outline(&traces[1]), [&format!("{root} failed"), "  retrieval failed"]);
    assert_eq!(outline(&traces[2]), [&format!("{root} completed"), "  retrieval failed"]);
    let ids: Vec<_> = traces.iter().map(|trace| Some(trace.trace_id().to_string())).collect();
    assert_eq!(ids, [known.trace_id, down.trace_id, unknown.trace_id]);
    let users: Vec<_> = traces.iter().map(Trace::user_id).collect();
    assert_eq!(users, [Some("alice"), None, None], "a header is no proof");
    assert!(traces.iter().all(|trace| trace.request_type() == Some("ask")));

    let messages = |at: usize| traces[at].logs().iter().map(|row| row.record().message().into_owned());
    assert_eq!(messages(0).filter(|message| message.starts_with("http_")).collect::<Vec<_>>().len(), 2);
    assert!(messages(1).any(|message| message == "http_response_sent"));
}
