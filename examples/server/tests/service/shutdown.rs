//! The end of the service: within a time limit, and with every record delivered.

use ragtrace::TraceId;
use ragtrace_sinks::store::SpanStatus;

use crate::support::client::Connection;
use crate::support::multipart::Form;
use crate::support::server::{Server, command, sample};
use crate::support::wait_for;

/// Begins an upload that never ends, and waits until it is in progress.
fn stalled(server: &Server, id: TraceId) -> Connection {
    let form = Form::new().file("guide.md", &sample("guide.md")).open();
    let request = server.post("/api/ingest").trace(id).header("Content-Type", &Form::media_type());
    let mut connection = request.begin(form.len() + 1_000);
    connection.write(&form);
    wait_for("upload", || (server.uploads() > 0).then_some(()));
    connection
}

#[test]
fn a_signal_ends_streams_and_uploads_and_delivers_every_record() {
    let mut server = Server::start(&["--grace", "1"]);
    let (uploaded, followed, stuck) = (TraceId::new(), TraceId::new(), TraceId::new());
    let form = Form::new().file("guide.md", &sample("guide.md"));
    assert_eq!(server.post("/api/ingest").trace(uploaded).form(form).send().status, 200);
    let stream = server.get(&format!("/api/traces/{}/events", TraceId::new())).trace(followed).events();
    let idle = Connection::to(server.address);
    let upload = stalled(&server, stuck);

    server.signal("TERM");
    assert_eq!(stream.count(), 0, "it ends without a word");
    let ended = server.end();
    assert_eq!(ended.code(), Some(0), "{}", server.told());
    assert!(!server.told().contains("warning"), "{}", server.told());
    drop((idle, upload));

    let whole = server.stored(uploaded, |_| true);
    assert_eq!((whole.status(), whole.spans().len(), whole.logs().len()), (SpanStatus::Completed, 8, 16));
    let stream = server.stored(followed, |_| true);
    assert_eq!((stream.status(), stream.logs().len()), (SpanStatus::Completed, 2));
    let cut = server.stored(stuck, |_| true);
    assert_eq!((cut.status(), cut.logs().len()), (SpanStatus::Cancelled, 2));
    assert_eq!(server.uploads(), 0);
    assert_eq!(server.upload_folders(), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_request_under_way_has_its_time() {
    let mut server = Server::start(&["--grace", "60"]);
    let form = Form::new().file("guide.md", &sample("guide.md")).close();
    let request = server.post("/api/ingest").header("Content-Type", &Form::media_type());
    let mut connection = request.begin(form.len());
    connection.write(&form[..form.len() - 10]);
    wait_for("upload", || (server.uploads() > 0).then_some(()));
    server.signal("INT");
    wait_for("word", || server.told().contains("once more").then_some(()));
    connection.write(&form[form.len() - 10..]);
    let answer = connection.answer(false);
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("completed")));
    assert_eq!(server.end().code(), Some(0), "{}", server.told());
    let trace = server.stored(answer.trace_id(), |_| true);
    assert_eq!((trace.status(), trace.logs().len()), (SpanStatus::Completed, 16));
}

#[test]
fn a_second_signal_ends_the_process_where_it_stands() {
    let mut server = Server::start(&["--grace", "3600"]);
    let upload = stalled(&server, TraceId::new());
    server.signal("TERM");
    wait_for("word", || server.told().contains("once more").then_some(()));
    assert!(!server.has_ended());
    server.signal("TERM");
    assert_eq!(server.end().code(), Some(143), "{}", server.told());
    drop(upload);
}

#[test]
fn while_it_drains_it_serves_and_says_that_it_is_ending() {
    let mut server = Server::start(&["--drain", "3600", "--grace", "3600"]);
    let stream = server.get(&format!("/api/traces/{}/events", TraceId::new())).events();
    server.signal("TERM");
    assert_eq!(stream.count(), 0, "streams end at once");
    server.get("/healthz").send().problem(503);
    assert_eq!(server.get("/").send().status, 200);
    server.signal("TERM");
    assert_eq!(server.end().code(), Some(143));
}

#[test]
fn what_a_killed_process_left_of_uploads_is_removed_by_the_next() {
    let server = Server::start(&[]);
    let upload = stalled(&server, TraceId::new());
    let left = server.upload_folders();
    let server = server.restart(&[]);
    assert!(!left[0].exists() && server.upload_folders().len() == 1);
    drop(upload);
}

#[test]
fn an_address_that_is_taken_is_told() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let taken = server.address.to_string();
    let ended = command(folder.path(), &["--listen", &taken]).output().expect("the program runs");
    let told = String::from_utf8(ended.stderr).expect("UTF-8");
    assert_eq!(ended.status.code(), Some(2), "{told}");
    assert!(told.contains(&format!("{taken} cannot be listened at; name another address with --listen: ")), "{told}");
}
