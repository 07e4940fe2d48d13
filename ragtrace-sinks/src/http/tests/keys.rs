//! Tests of keys: their sources, when they are read, and that they are never shown.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use hyper::header::{AUTHORIZATION, HeaderName};
use ragtrace::sink::{SinkError, Verdict};
use ragtrace_sinks_support::{Answer, Authority, Received, Server};

use super::{builder, endpoint, run, send};
use crate::http::{Client, Endpoint, Key, Request, Verdicts};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Starts a server that accepts one key, and repeats any key it gets, as some servers do.
fn server(valid: &'static str) -> Server {
    Server::start(move |request: &Received| match request.header("x-api-key") {
        Some(key) if key == valid => Answer::status(202),
        key => Answer::status(403).body(format!("{{\"error\":\"no such key: {}\"}}", key.unwrap_or_default())),
    })
}

async fn deliver(client: &Client, url: &Endpoint, key: &Key) -> Result<(), SinkError> {
    let answer = client.send(&Request::post(url).key(API_KEY, "", key)).await?;
    Verdicts::new(&[]).judge(&answer)
}

#[test]
fn a_key_in_a_file_is_read_again_before_each_request() {
    let server = server("second-key");
    let (folder, url) = (Authority::new(), endpoint(&server.url()));
    let path = folder.write("key", "first-key\n");
    let (client, key) = (builder().build(), Key::file(&path).named("DD_API_KEY_FILE"));
    run(async {
        let error = deliver(&client, &url, &key).await.expect_err("the old key");
        assert_eq!(error.verdict(), Verdict::Park);
        assert!(error.reason().contains("no such key: [redacted]"), "{}", error.reason());
        folder.write("key", "  second-key\r\n");
        deliver(&client, &url, &key).await.expect("the new key");
    });
}

#[test]
fn a_key_that_is_not_there_parks_and_says_where_it_was_looked_for() {
    let server = server("a-key");
    let (folder, url, client) = (Authority::new(), endpoint(&server.url()), builder().build());
    let path = folder.folder().join("key");
    let key = Key::file(&path).named("DD_API_KEY_FILE");
    let told = || {
        let error = run(deliver(&client, &url, &key)).expect_err("no key");
        assert_eq!(error.verdict(), Verdict::Park);
        error.reason().split_once(": DD_API_KEY_FILE: ").expect("the setting's name").1.to_owned()
    };
    let shown = path.display().to_string();
    assert_eq!(told(), format!("cannot read the key from {shown}: entity not found"));
    folder.write("key", " \n\t\n");
    assert_eq!(told(), format!("the file {shown} is empty: write the key into it"));
    folder.write("key", "two\nlines");
    assert_eq!(
        told(),
        format!("the key has a character that is invalid in a header: {shown} must have one line of ASCII")
    );
    folder.write("key", "schlüssel");
    assert_eq!(
        told(),
        format!("the key has a character that is invalid in a header: {shown} must have one line of ASCII")
    );
    folder.write("key", &"x".repeat(100_000));
    assert_eq!(told(), format!("the file {shown} is too large for a key"));
    assert_eq!(server.requests().len(), 0, "nothing is sent without a key");
    folder.write("key", "a-key");
    run(deliver(&client, &url, &key)).expect("the key");
}

#[test]
fn a_key_in_the_place_of_its_files_path_is_not_shown() {
    let (url, client) = (endpoint("http://127.0.0.1:9"), builder().build());
    let key = Key::file("sk-lf-hunter2").named("LANGFUSE_SECRET_KEY_FILE");
    let error = run(deliver(&client, &url, &key)).expect_err("no such file");
    let shown = format!("{key:?} {error:?} {}", error.reason());
    assert!(!shown.contains("hunter2") && error.reason().contains("LANGFUSE_SECRET_KEY_FILE: cannot read"), "{shown}");
}

#[test]
fn a_key_from_a_function_is_asked_for_each_request_and_may_fail() {
    let server = server("key-2");
    let (url, client) = (endpoint(&server.url()), builder().build());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let key = Key::from_fn(move || match count.fetch_add(1, Ordering::SeqCst) {
        0 => Err("the vault is sealed"),
        1 => panic!("the vault burns"),
        number => Ok(format!("key-{number}")),
    });
    let told = || run(deliver(&client, &url, &key)).map_err(|error| (error.verdict(), error.reason()));
    let at = format!("POST {}/: ", server.url());
    assert_eq!(told(), Err((Verdict::Park, format!("{at}the key: it cannot be read: the vault is sealed"))));
    assert_eq!(told(), Err((Verdict::Park, format!("{at}the key: it cannot be read: its function panicked"))));
    assert_eq!(told(), Ok(()));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[test]
fn a_key_that_no_header_may_have_parks_without_being_shown() {
    for bad in ["pass\nword", "pässword", "pass\u{7f}word", "pass\x00word"] {
        let key = Key::text(bad).named("LANGSMITH_API_KEY");
        let error = run(deliver(&builder().build(), &endpoint("http://localhost/"), &key)).expect_err("no header");
        assert_eq!(error.verdict(), Verdict::Park);
        let told = format!("{error:?} {}", error.reason());
        assert!(told.contains("LANGSMITH_API_KEY: the key has a character that is invalid in a header"), "{told}");
        assert!(!told.contains("word"), "{told}");
    }
    let error = run(deliver(&builder().build(), &endpoint("http://localhost/"), &Key::text(" ").named("DD_API_KEY")));
    assert!(error.expect_err("no key").reason().ends_with(": DD_API_KEY: the key is empty: set it"));
}

#[test]
fn no_secret_is_in_debug() {
    let key = Key::from("hunter2").named("DD_API_KEY");
    let url = endpoint("https://alice:hunter3@host/in?token=hunter4");
    let request = Request::post(&url).key(AUTHORIZATION, "Bearer ", &key).secret("x-more", "hunter5");
    let shown = format!("{key:?} {url:?} {url} {request:?} {:?}", builder().build());
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(shown.contains("Key(DD_API_KEY: from a text)"), "{shown}");
}

#[test]
fn a_user_in_a_url_is_authorization_and_a_server_that_repeats_it_is_not_quoted() {
    let server = Server::start(|_| Answer::status(401).body("alice:hunter 2 and YWxpY2U6aHVudGVyIDI= are wrong"));
    let url = server.url().replace("http://", "http://alice:hunter%202@");
    let answer = send(&builder().build(), &Request::post(&endpoint(&url))).expect("an answer");
    let error = Verdicts::new(&[]).judge(&answer).expect_err("refused");
    assert_eq!(server.requests()[0].header("authorization"), Some("Basic YWxpY2U6aHVudGVyIDI="));
    assert_eq!(
        error.reason(),
        format!(
            "POST {}/: 401 Unauthorized: check the key and its permissions (answer: [redacted] and [redacted] are wrong)",
            server.url()
        )
    );
    assert!(!format!("{answer:?}").contains("YWxp"), "{answer:?}");
}

#[test]
fn a_function_that_hangs_takes_one_thread_and_no_delivery_waits_for_it() {
    let (asked, client) = (Arc::new(AtomicUsize::new(0)), builder().timeout(Duration::from_millis(100)).build());
    let (release, gate) = mpsc::channel::<()>();
    let (count, gate) = (Arc::clone(&asked), Mutex::new(gate));
    let key = Key::from_fn(move || {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = gate.lock().expect("one at a time").recv();
        Err::<String, _>("released")
    });
    run(async {
        for _ in 0..3 {
            let error = deliver(&client, &endpoint("http://localhost/"), &key).await.expect_err("no key");
            assert_eq!(error.verdict(), Verdict::Retry);
            assert_eq!(error.reason(), "POST http://localhost/: no key within 100ms");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        drop(release);
    });
}
