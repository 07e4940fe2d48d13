//! Requests with files, as a whole.

use crate::support::multipart::Form;
use crate::support::server::{Server, sample};
use crate::support::wait_for;

#[test]
fn a_document_and_a_broken_file_are_a_partial_success() {
    let server = Server::start(&[]);
    let form = Form::new().file("spec.pdf", &sample("specification.pdf")).file("broken.pdf", b"%PDF-1.7 and no more");
    let answer = server.post("/api/ingest").form(form).send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    assert_eq!((json["status"].as_str(), json["chunks_created"].as_u64()), (Some("partial"), Some(7)));
    assert_eq!(json["trace_id"], answer.trace_id().to_string());
    let (stored, broken) = (&json["files"][0], &json["files"][1]);
    assert_eq!((stored["name"].as_str(), stored["status"].as_str()), (Some("spec.pdf"), Some("stored")));
    assert_eq!((stored["format"].as_str(), stored["pages"].as_u64()), (Some("pdf"), Some(2)));
    assert_eq!(stored["bytes"], sample("specification.pdf").len());
    assert_eq!((broken["status"].as_str(), broken["chunks"].as_u64()), (Some("failed"), None));
    let error = broken["error"].as_str().expect("an error");
    assert!(error.starts_with("parsing failed: the PDF is damaged; open it in a viewer and save it anew: "), "{error}");
    assert_eq!(json["files"].as_array().map(Vec::len), Some(2));
    wait_for("empty folder", || (server.uploads() == 0).then_some(()));
}

#[test]
fn where_nothing_is_stored_the_answer_says_so() {
    let server = Server::start(&[]);
    let form = Form::new().file("empty.md", b"").file("photo.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let answer = server.post("/api/ingest").form(form).send();
    let json = answer.json();
    assert_eq!(
        (answer.status, json["status"].as_str(), json["chunks_created"].as_u64()),
        (422, Some("failed"), Some(0))
    );
    assert!(json["files"][0]["error"].as_str().is_some_and(|error| error.contains("there is no text in the file")));
    assert!(json["files"][1]["error"].as_str().is_some_and(|error| error.contains("this .txt is image/png")));
}

#[test]
fn a_request_without_a_file_is_a_problem() {
    let server = Server::start(&[]);
    let not_chosen = Form::new().part(b"form-data; name=\"files\"; filename=\"\"", b"");
    let other = Form::new().part(b"form-data; name=\"comment\"", b"no file");
    for form in [Form::new(), not_chosen, other] {
        let problem = server.post("/api/ingest").form(form).send().problem(422);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("there is no file")), "{problem}");
    }
}

#[test]
fn what_is_no_form_is_a_problem() {
    let server = Server::start(&[]);
    let ingest = || server.post("/api/ingest");
    ingest().json(&serde_json::json!({ "files": [] })).send().problem(415);
    ingest().body("text").send().problem(415);
    ingest().send().problem(415);
    ingest().header("Content-Type", "multipart/form-data").body("text").send().problem(400);
    ingest().header("Content-Type", &Form::media_type()).body("text").send().problem(400);
    ingest().header("Content-Type", &Form::media_type()).send().problem(400);
}

#[test]
fn a_form_without_its_end_is_a_problem_and_nothing_of_it_is_stored() {
    let server = Server::start(&[]);
    let form = Form::new().file("guide.md", &sample("guide.md")).open();
    let cut = [&form[..form.len() / 2], &form[..]];
    for body in cut {
        let problem =
            server.post("/api/ingest").header("Content-Type", &Form::media_type()).body(body).send().problem(400);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("cut off")), "{problem}");
    }
    wait_for("empty folder", || (server.uploads() == 0).then_some(()));
    assert_eq!(documents(&server), 0);
}

#[test]
fn a_client_that_leaves_in_the_middle_leaves_no_file_and_one_end() {
    let server = Server::start(&[]);
    let id = ragtrace::TraceId::new();
    let form = Form::new().file("guide.md", &sample("guide.md")).open();
    let request = server.post("/api/ingest").trace(id).header("Content-Type", &Form::media_type());
    let mut connection = request.begin(form.len() + 1_000);
    connection.write(&form);
    wait_for("upload", || (server.uploads() == 1).then_some(()));
    drop(connection);
    wait_for("empty folder", || (server.uploads() == 0).then_some(()));
    let trace = server.stored(id, |trace| trace.roots().all(|root| root.duration().is_some()));
    let messages: Vec<_> = trace.logs().iter().map(|row| row.message().into_owned()).collect();
    assert_eq!((messages.len(), messages[0].as_str()), (2, "http_request_received"), "{messages:?}");
    assert_eq!(documents(&server), 0);
}

#[test]
fn a_request_that_is_too_large_is_refused_and_the_answer_arrives() {
    let server = Server::start(&["--max-bytes", "100000"]);
    let large = || Form::new().file("large.txt", &b"Many words. ".repeat(1 << 20));
    for request in [server.post("/api/ingest").form(large()), server.post("/api/ingest").form(large()).chunked()] {
        let problem = request.send().problem(413);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("100000 bytes")), "{problem}");
    }
    let small = Form::new().file("small.txt", &b"Few words. ".repeat(100));
    assert_eq!(server.post("/api/ingest").form(small).chunked().send().status, 200);
    wait_for("empty folder", || (server.uploads() == 0).then_some(()));
}

#[test]
fn a_client_that_asks_before_it_sends_is_spared_the_sending() {
    let server = Server::start(&["--max-bytes", "1000"]);
    let request =
        server.post("/api/ingest").header("Content-Type", &Form::media_type()).header("Expect", "100-continue");
    request.begin(1 << 30).answer(false).problem(413);
}

#[test]
fn a_request_with_too_many_files_is_refused() {
    let server = Server::start(&["--max-files", "2"]);
    let form =
        |files: usize| (0..files).fold(Form::new(), |form, at| form.file(&format!("{at}.md"), b"# Title\n\nText."));
    assert_eq!(server.post("/api/ingest").form(form(2)).send().status, 200);
    let problem = server.post("/api/ingest").form(form(3)).send().problem(413);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("more than 2 files")), "{problem}");
}

#[test]
fn many_files_in_one_request_are_told_each() {
    let server = Server::start(&[]);
    let text = |at: usize| format!("# Number {at}\n\nThis is document number {at}.");
    let form = (0..200).fold(Form::new(), |form, at| form.file(&format!("{at}.md"), text(at).as_bytes()));
    let answer = server.post("/api/ingest").form(form).send();
    let json = answer.json();
    assert_eq!(
        (answer.status, json["status"].as_str(), json["chunks_created"].as_u64()),
        (200, Some("completed"), Some(200))
    );
    let names = json["files"].as_array().expect("files").iter().map(|file| file["name"].as_str().expect("a name"));
    assert!(names.eq((0..200).map(|at| format!("{at}.md"))), "in their order");
}

#[test]
fn uploads_at_the_same_time_do_not_mix() {
    let server = Server::start(&["--jobs", "2"]);
    std::thread::scope(|scope| {
        for at in 0..24 {
            let server = &server;
            scope.spawn(move || {
                let text = format!("# Number {at}\n\nThis is document number {at}.");
                let form = Form::new().file(&format!("{at}.md"), text.as_bytes());
                let answer = server.post("/api/ingest").form(form).send();
                assert_eq!(
                    (answer.status, answer.json()["files"][0]["name"].as_str()),
                    (200, Some(&*format!("{at}.md")))
                );
                let trace =
                    server.stored(answer.trace_id(), |trace| trace.roots().all(|root| root.duration().is_some()));
                assert_eq!((trace.roots().count(), trace.spans().len()), (1, 8));
                let names = trace.spans().filter_map(|span| span.record().field("doc")?.as_str().map(str::to_owned));
                assert!(names.into_iter().all(|name| name == format!("{at}.md")));
            });
        }
    });
}

#[test]
fn a_head_that_does_not_end_is_refused_before_it_fills_the_memory() {
    let server = Server::start(&[]);
    let send = |body: Vec<u8>| server.post("/api/ingest").header("Content-Type", &Form::media_type()).body(body).send();
    let long = || vec![b'a'; 32 << 20];
    let headers = [Form::new().part(b"form-data; name=\"files\"\r\nX: ", b""), Form::new().file("a.md", b"Text.")];
    let [cut, whole] = headers.map(Form::open);
    let cut = &cut[..cut.len() - b"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n".len()];
    for body in [[cut, &long()].concat(), [&whole[..], cut, &long()].concat(), long()] {
        let problem = send(body).problem(400);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("16384 bytes")), "{problem}");
    }
    let disposition = format!("form-data; name=\"files\"; filename=\"a.md\"\r\nX: {}", "a".repeat(8 << 10));
    let form = Form::new().part(disposition.as_bytes(), &b"A text. ".repeat(100_000));
    let form = form.part(disposition.as_bytes(), b"Another text.");
    assert_eq!(server.post("/api/ingest").form(form).send().json()["status"], "completed");
    wait_for("empty folder", || (server.uploads() == 0).then_some(()));
}

/// Returns the number of sources of a question that every document answers.
fn documents(server: &Server) -> usize {
    let question = serde_json::json!({ "question": "What does the guide say of the battery?" });
    let mut events = server.post("/api/ask").json(&question).events();
    events.next().expect("sources").data.as_array().expect("a list").len()
}
