//! Tests of requests on the wire, and of the connections they use.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use ragtrace_sinks_support::{Answer, Authority, Server};

use super::{builder, endpoint, post, run, send};
use crate::http::{Answer as ClientAnswer, Body, Client, Request};

#[test]
fn a_request_arrives_as_it_was_made() {
    let server = Server::start(|_| Answer::status(202).header("x-id", "7").body("thanks"));
    let request = Request::post(&endpoint(&server.url()).join("/api/v2/logs"))
        .header("Dd-Evp-Origin", "ragtrace")
        .body("application/json", &Body::plain("[]"));
    let answer = send(&builder().build(), &request).expect("an answer");
    assert_eq!((answer.status(), answer.body(), answer.header("X-Id")), (202, &b"thanks"[..], Some("7")));
    let [received] = &server.requests()[..] else { panic!("one request") };
    assert_eq!((received.method.as_str(), received.path(), &received.body[..]), ("POST", "/api/v2/logs", &b"[]"[..]));
    for (name, value) in [
        ("content-type", "application/json"),
        ("dd-evp-origin", "ragtrace"),
        ("content-length", "2"),
        ("host", &server.address().to_string()),
    ] {
        assert_eq!(received.header(name), Some(value), "{name}");
    }
    assert!(received.header("user-agent").is_some_and(|agent| agent.starts_with("ragtrace/")));
    assert_eq!(received.header("content-encoding"), None);
}

#[test]
fn deliveries_use_one_connection() {
    let server = Server::start(|_| Answer::status(200).body("ok"));
    let client = builder().build();
    run(async {
        for _ in 0..5 {
            client.send(&post(&server.url())).await.expect("an answer");
        }
    });
    assert_eq!((server.requests().len(), server.connections()), (5, 1));
}

#[test]
fn a_connection_that_the_server_closed_costs_no_delivery() {
    let server = Server::start(|_| Answer::status(200).body("ok").then_closes());
    let client = builder().build();
    run(async {
        for _ in 0..20 {
            client.send(&post(&server.url())).await.expect("an answer over another connection");
        }
    });
    assert_eq!(server.requests().len(), 20);
}

#[test]
fn a_connection_that_is_reset_when_it_is_used_again_costs_no_delivery() {
    // The second request on each connection is read and never answered, as by a balancer that has
    // forgotten the connection.
    let server = Server::start(|request| match request.body.as_slice() {
        b"first" => Answer::status(200),
        _ if request.connection == 0 => Answer::resets_at_once(),
        _ => Answer::status(200),
    });
    let client = builder().build();
    run(async {
        let first = Request::post(&endpoint(&server.url())).body("text/plain", &Body::plain("first"));
        client.send(&first).await.expect("an answer");
        client.send(&post(&server.url())).await.expect("an answer over another connection");
    });
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_client_outlives_the_runtime_that_it_was_used_on() {
    let server = Server::start(|_| Answer::status(200));
    let client = builder().build();
    for _ in 0..3 {
        send(&client, &post(&server.url())).expect("an answer");
    }
}

#[test]
fn http_2_is_spoken_where_the_server_offers_it() {
    let authority = Authority::new();
    let server = Server::builder().tls(authority.certificate("localhost")).http2().start(|_| Answer::status(202));
    let client = builder().certificate("CA", authority.file()).build();
    run(async {
        for _ in 0..3 {
            assert_eq!(client.send(&post(&server.url())).await.expect("an answer").status(), 202);
        }
    });
    assert!(server.requests().iter().all(|request| request.is_http2));
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
}

#[test]
fn a_connection_of_http_2_that_is_dead_is_given_up() {
    let authority = Authority::new();
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    // While it answers the first request, the server's only thread reads nothing.
    let server = Server::builder().tls(authority.certificate("localhost")).http2().start(move |request| {
        if request.connection == 0 {
            let _ = gate.lock().expect("one thread").recv();
        }
        Answer::status(202)
    });
    let client = builder().certificate("CA", authority.file()).ping(Duration::from_millis(50));
    let client = client.timeout(Duration::from_millis(200)).build();
    run(async {
        for _ in 0..10 {
            client.send(&post(&server.url())).await.expect_err("no answer");
        }
        drop(release);
        let patient = Instant::now() + Duration::from_secs(20);
        while client.send(&post(&server.url())).await.is_err() {
            assert!(Instant::now() < patient, "no answer over a connection of its own");
        }
    });
    assert!(server.connections() > 1, "the dead connection is still in use");
}

#[test]
fn a_refusal_counts_that_comes_before_the_whole_request_was_read() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/in", listener.local_addr().expect("an address"));
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut bytes = [0; 1024];
        let _ = stream.read(&mut bytes).expect("the beginning of a request");
        stream
            .write_all(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig")
            .expect("an answer");
        stream.shutdown(Shutdown::Write).expect("no more of it");
        while stream.read(&mut bytes).is_ok_and(|length| length > 0) {}
    });
    let request = Request::post(&endpoint(&url)).body("text/plain", &Body::plain(vec![b'x'; 8_000_000]));
    let answer = send(&builder().build(), &request).expect("an answer");
    assert_eq!((answer.status(), answer.body()), (413, &b"big"[..]));
    thread.join().expect("a server");
}

#[test]
fn deliveries_at_once_are_served_at_once() {
    let server = Server::start(|_| Answer::status(200));
    let client = builder().build();
    run(async {
        let mut under_way = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (client, request) = (client.clone(), post(&server.url()));
            under_way.spawn(async move { client.send(&request).await.expect("an answer").status() });
        }
        assert_eq!(under_way.join_all().await, [200; 8]);
    });
    assert!(server.connections() <= 8);
}

#[test]
fn a_long_answer_is_read_up_to_its_bound() {
    let server = Server::start(|_| Answer::status(200).body(vec![b'x'; 1_000_000]));
    let answer = send(&builder().build(), &post(&server.url())).expect("an answer");
    assert_eq!(answer.body().len(), ClientAnswer::LONGEST);
    let endless = Server::start(|_| Answer::status(200).endless());
    let answer = send(&builder().build(), &post(&endless.url())).expect("an answer");
    assert_eq!(answer.body().len(), ClientAnswer::LONGEST);
}

#[cfg(unix)]
#[test]
fn a_socket_is_spoken_to_by_its_path() {
    let folder = Authority::new();
    let path = folder.folder().join("apm.socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = Vec::new();
        while !request.ends_with(b"hello") {
            let mut bytes = [0; 1024];
            let length = stream.read(&mut bytes).expect("a request");
            request.extend_from_slice(&bytes[..length]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("an answer");
        String::from_utf8(request).expect("a text")
    });
    let url = endpoint(&format!("unix://{}", path.display()));
    let request = Request::post(&url.join("/v1/input")).body("text/plain", &Body::plain("hello"));
    assert_eq!(send(&builder().build(), &request).expect("an answer").status(), 200);
    let seen = thread.join().expect("a server");
    assert!(seen.starts_with("POST /v1/input HTTP/1.1\r\n") && seen.contains("host: localhost\r\n"), "{seen}");
    std::fs::remove_file(&path).expect("the socket");
    let error = send(&builder().build(), &request).expect_err("no socket");
    let expected =
        format!("POST unix://{path}/v1/input: error sending request: entity not found ({path})", path = path.display());
    assert_eq!(error.reason(), expected);
}

#[test]
fn a_client_can_be_sent_and_shared() {
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    fn is_sent(_: impl Send) {}
    is_shared::<Client>();
    let (client, request) = (builder().build(), post("http://localhost/"));
    is_sent(client.send(&request));
}
