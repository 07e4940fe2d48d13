//! Clients that are slow, many, or send too much.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::client::{connect, send};
use crate::support::ingestion;
use crate::viewer::{Viewer, holding, until};

/// The number of connections that the test itself holds open at once.
const HELD: usize = 500;

#[test]
fn a_thousand_slow_connections_are_bounded_and_others_are_still_served() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let before = viewer.open_files();
    let mut slow: Vec<TcpStream> = Vec::new();
    for number in 0..1_000 {
        let mut stream = connect(viewer.address);
        let _ = write!(stream, "GET /?number={number} HTTP/1.1\r\nhost: {}\r\nx-slow: ", viewer.address);
        if slow.len() == HELD {
            slow.remove(0);
        }
        slow.push(stream);
        if number % 100 == 99 {
            viewer.get("/traces.json").expect(200);
        }
    }
    if let (Some(before), Some(now)) = (before, viewer.open_files()) {
        assert!(now < before + 300, "{before} files before, {now} now");
    }
    let mut oldest = slow.remove(0);
    let mut rest = Vec::new();
    oldest.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let _ = oldest.read_to_end(&mut rest);
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "it was closed in favour of others");
}

#[test]
fn a_connection_whose_head_does_not_come_is_closed() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let mut stream = connect(viewer.address);
    let mut said = Vec::new();
    write!(stream, "GET / HTTP/1.1\r\nhost").expect("sent");
    // A read that ends for lack of patience is an error of another kind.
    match stream.read_to_end(&mut said) {
        Ok(_) => assert!(!said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said)),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "it is closed after ten seconds"),
    }
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for_for_ever() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &["--allow-writes"]);
    let head = format!(
        "POST /session HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{{",
        viewer.address
    );
    let answer = send(viewer.address, head.as_bytes());
    assert_eq!(answer.status, 504, "{answer:?}");
}

#[test]
fn a_request_that_is_too_large_is_refused() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &["--allow-writes"]);
    viewer.get(&format!("/?user={}", "x".repeat(1_025))).expect(400);
    viewer.get(&format!("/?{}", "a=1&".repeat(65))).expect(400);
    viewer.get(&format!("/?user={}", "x".repeat(9_000))).expect(414);
    viewer.get(&format!("/{}", "x".repeat(9_000))).expect(414);
    let many = "x-a: 1\r\n".repeat(200);
    let head = format!("GET / HTTP/1.1\r\nhost: {}\r\n{many}connection: close\r\n\r\n", viewer.address);
    assert_eq!(send(viewer.address, head.as_bytes()).status, 431);
    let large = format!(
        "GET / HTTP/1.1\r\nhost: {}\r\nx-a: {}\r\nconnection: close\r\n\r\n",
        viewer.address,
        "x".repeat(100_000)
    );
    assert_eq!(send(viewer.address, large.as_bytes()).status, 431);
    let page = viewer.get("/").expect(200);
    let csrf =
        page.body.split("name=\"csrf\" content=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let body = format!("{{\"comment\":\"{}\"}}", "x".repeat(70_000));
    viewer.post("/api/scores", &[("x-csrf-token", csrf)], &body).expect(413);
    viewer.get("/").expect(200);
}

#[test]
fn an_answer_that_is_not_read_does_not_keep_others_waiting() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let unread: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = connect(viewer.address);
            write!(stream, "GET /traces.json HTTP/1.1\r\nhost: {}\r\n\r\n", viewer.address).expect("sent");
            stream
        })
        .collect();
    until("others are served", || viewer.get("/traces.json").status == 200);
    drop(unread);
}
