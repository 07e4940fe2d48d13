//! Errors that no handler made.

use crate::support::client::Request;
use crate::support::multipart::Form;
use crate::support::server::{Server, sample};
use crate::support::wait_for;

#[test]
fn what_is_not_there_is_a_problem() {
    let server = Server::start(&[]);
    for path in ["/nothing", "/api", "/api/ingest/more", "/assets/", "/assets/../lib.rs", "/%ff"] {
        server.get(path).send().problem(404);
    }
    let head = server.request("HEAD", "/nothing").send();
    assert_eq!((head.status, head.header("content-type"), head.body.len()), (404, Some("application/problem+json"), 0));
}

#[test]
fn another_method_is_a_problem_that_names_the_right_ones() {
    let server = Server::start(&[]);
    for (method, path, allowed) in [
        ("GET", "/api/ingest", "POST"),
        ("PUT", "/api/ask", "POST"),
        ("DELETE", "/api/feedback", "POST"),
        ("POST", "/metrics", "GET,HEAD"),
        ("PATCH", "/", "GET,HEAD"),
    ] {
        let answer = server.request(method, path).send();
        answer.problem(405);
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[test]
fn what_another_site_has_a_browser_send_is_refused() {
    let server = Server::start(&[]);
    let question = serde_json::json!({ "question": "Is anybody there?" });
    let ask = |name: &str, value: &str| server.post("/api/ask").header(name, value).json(&question);
    ask("Origin", "http://evil.example").send().problem(403);
    ask("Origin", "null").send().problem(403);
    ask("Sec-Fetch-Site", "cross-site").send().problem(403);
    assert_eq!(ask("Sec-Fetch-Site", "same-origin").events().answer.status, 200);
    assert_eq!(ask("Origin", &format!("http://{}", server.address)).events().answer.status, 200);
    assert_eq!(server.get("/healthz").header("Sec-Fetch-Site", "cross-site").send().status, 200);
}

#[test]
fn a_request_for_another_host_is_refused_whatever_it_asks_for() {
    let server = Server::start(&["--host", "rag.example"]);
    let to = |host: &str, method: &str, path: &str| Request::to(server.address, host, (method, path));
    for (method, path) in [("GET", "/"), ("GET", "/metrics"), ("POST", "/api/ask"), ("HEAD", "/nothing")] {
        assert_eq!(to("evil.example:8080", method, path).send().status, 421, "{method} {path}");
    }
    to("evil.example", "GET", "/healthz").header("Sec-Fetch-Site", "same-origin").send().problem(421);
    let port = server.address.port();
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8080", "rag.example", &format!("localhost:{port}")] {
        assert_eq!(to(host, "GET", "/healthz").send().status, 200, "{host}");
    }
}

#[test]
fn more_requests_than_there_is_room_for_are_told_to_come_again() {
    let server = Server::start(&["--max-requests", "1"]);
    let form = Form::new().file("guide.md", &sample("guide.md")).open();
    let request = server.post("/api/ingest").header("Content-Type", &Form::media_type());
    let mut connection = request.begin(form.len() + 1_000);
    connection.write(&form);
    wait_for("upload", || (server.uploads() == 1).then_some(()));
    let question = serde_json::json!({ "question": "Is anybody there?" });
    for request in [server.post("/api/ask").json(&question), server.post("/api/ingest").form(Form::new())] {
        let answer = request.send();
        answer.problem(503);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    drop(connection);
    wait_for("room", || (server.post("/api/ask").json(&question).send().status == 200).then_some(()));
}
