//! Tests of checks.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;
use std::thread::JoinHandle;

use serde_json::{Value as Json, json};

use crate::support::{File, Make};
use crate::{code, command, holding, ragtrace, stderr};

fn check(file: &File, arguments: &[&str], sinks: &str) -> Output {
    let mut command = command(file, &[&["check"], arguments].concat());
    command.env_remove("RAGTRACE_SPOOL").env_remove("RAGTRACE_SINKS").env_remove("DATABASE_URL");
    if !sinks.is_empty() {
        command.env("RAGTRACE_SINKS", sinks);
    }
    command.output().expect("the command runs")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Serves one answer, and returns the URL of the page and the thread that serves it.
fn serve(answer: String) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/metrics", listener.local_addr().expect("an address"));
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let (mut asked, mut some) = (Vec::new(), [0; 1_024]);
        while !asked.windows(4).any(|window| window == b"\r\n\r\n") {
            let read = stream.read(&mut some).expect("a request");
            if read == 0 {
                break;
            }
            asked.extend_from_slice(&some[..read]);
        }
        // The command may stop reading an answer that is too long.
        let _ = stream.write_all(answer.as_bytes());
        String::from_utf8_lossy(&asked).into_owned()
    });
    (url, thread)
}

fn page(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn metrics(change: impl FnOnce(&mut ragtrace::SinkStats)) -> String {
    let mut sink = ragtrace::SinkStats::default();
    (sink.name, sink.delivered) = ("postgres".to_owned(), 1_234);
    change(&mut sink);
    let mut stats = ragtrace::Stats::default();
    stats.sinks = vec![sink];
    stats.to_prometheus()
}

#[test]
fn every_sink_that_the_environment_names_is_asked() {
    let file = holding([]);
    let output = check(&file, &[], "sqlite");
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
    assert!(text(&output).starts_with("OK    sink sqlite: "), "{}", text(&output));
    assert_eq!(code(&check(&file, &[], "")), Some(0), "sqlite is the default");
    let mut command = command(&file, &["check", "--timeout", "5s"]);
    command.env("RAGTRACE_SINKS", "sqlite,postgres,otlp").env("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/db");
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1").env_remove("RAGTRACE_SPOOL");
    let output = command.output().expect("runs");
    assert_eq!(code(&output), Some(1));
    let seen = text(&output);
    assert!(seen.starts_with("WRONG sink "), "what is wrong comes first: {seen}");
    for subject in ["WRONG sink postgres: ", "WRONG sink otlp: ", "OK    sink sqlite: "] {
        assert!(seen.contains(subject), "{subject}: {seen}");
    }
    assert!(!seen.contains("hunter2") && !stderr(&output).contains("hunter2"), "{seen}");
    assert!(stderr(&output).contains("checks found something wrong"), "{}", stderr(&output));
}

#[test]
fn wrong_settings_and_arguments_exit_with_2() {
    let file = holding([]);
    for (arguments, sinks, says) in [
        (&[][..], "sqlte", "sqlte"),
        (&[], "postgres", "DATABASE_URL"),
        (&["--max-age", "soon"], "", "such as 250ms"),
        (&["--store", "sqlite:ragtrace.db"], "", "leave out `--store`"),
    ] {
        let output = check(&file, arguments, sinks);
        assert_eq!(code(&output), Some(2), "{arguments:?}: {}", text(&output));
        assert!(stderr(&output).contains(says), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_process_that_delivers_is_fine_and_is_asked_by_plain_http() {
    let file = holding([]);
    let (url, asked) = serve(page(&metrics(|sink| sink.pending = 3)));
    let output = check(&file, &["--metrics", &url], "");
    assert_eq!(code(&output), Some(0), "{}", text(&output));
    assert_eq!(text(&output), "OK    process, sink postgres: 1234 records delivered, 3 wait\n");
    let asked = asked.join().expect("served");
    assert!(asked.starts_with("GET /metrics HTTP/1.1\r\n") && asked.contains("host: 127.0.0.1:"), "{asked}");
}

#[test]
fn a_process_that_is_parked_drops_or_waits_too_long_is_wrong() {
    let file = holding([]);
    let hours_ago = ragtrace::Timestamp::now().minus(std::time::Duration::from_secs(2 * 3_600 + 301));
    let cases: [(&str, Box<dyn FnOnce(&mut ragtrace::SinkStats)>); 6] = [
        ("it is parked until its configuration is corrected", Box::new(|sink| sink.parked = true)),
        ("waiting for 2h 5m (limit 10m)", Box::new(move |sink| sink.oldest_waiting = Some(hours_ago))),
        ("7 records were dropped", Box::new(|sink| sink.dropped = 7)),
        ("2 records were refused for good", Box::new(|sink| sink.dead_lettered = 2)),
        ("50001 records wait on disk (limit 50000)", Box::new(|sink| sink.spooled = 50_001)),
        ("100001 records wait (limit 100000)", Box::new(|sink| sink.pending = 100_001)),
    ];
    for (says, change) in cases {
        let (url, asked) = serve(page(&metrics(change)));
        let output = check(&file, &["--metrics", &url], "");
        assert_eq!(code(&output), Some(1), "{says}");
        assert!(
            text(&output).starts_with("WRONG process, sink postgres: ") && text(&output).contains(says),
            "{}",
            text(&output)
        );
        asked.join().expect("served");
    }
    // The limits are arguments.
    let (url, asked) = serve(page(&metrics(|sink| (sink.dropped, sink.oldest_waiting) = (7, Some(hours_ago)))));
    assert_eq!(code(&check(&file, &["--metrics", &url, "--max-dropped", "7", "--max-age", "3h"], "")), Some(0));
    asked.join().expect("served");
}

#[test]
fn a_page_that_is_not_there_or_is_another_one_is_wrong() {
    let file = holding([]);
    let answers = [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(), "status 404"),
        (page("up 1\n"), "no metrics of ragtrace"),
        ("nonsense\r\n\r\n".to_owned(), "cannot be read"),
        (format!("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{}", "x".repeat(20 << 20)), "longer than 16 MiB"),
    ];
    for (answer, says) in answers {
        let (url, asked) = serve(answer);
        let output = check(&file, &["--metrics", &url, "--timeout", "20s"], "");
        assert_eq!(code(&output), Some(1), "{says}");
        assert!(text(&output).contains(says), "{says}: {}", text(&output));
        asked.join().expect("served");
    }
    let output = check(&file, &["--metrics", "http://127.0.0.1:1/metrics"], "");
    assert_eq!(code(&output), Some(1));
    assert!(text(&output).contains("cannot be read"), "{}", text(&output));
    for url in ["https://127.0.0.1/metrics", "127.0.0.1:8080", "http://u:hunter2@127.0.0.1/", "", "/metrics"] {
        let output = check(&file, &["--metrics", url], "");
        assert_eq!(code(&output), Some(2), "{url}");
        assert!(stderr(&output).contains("plain HTTP") && !stderr(&output).contains("hunter2"), "{}", stderr(&output));
    }
    // One that accepts a connection and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let output = check(&file, &["--metrics", &url, "--timeout", "1s"], "");
    assert!(text(&output).contains("does not answer within 1s"), "{}", text(&output));
}

#[test]
fn findings_are_json_too() {
    let file = holding([]);
    let (url, asked) = serve(page(&metrics(|sink| sink.parked = true)));
    let output = check(&file, &["--metrics", &url, "--format", "json"], "sqlite");
    assert_eq!(code(&output), Some(1));
    let findings: Json = serde_json::from_str(&text(&output)).expect("JSON");
    assert_eq!((&findings[0]["ok"], &findings[0]["subject"]), (&json!(false), &json!("process, sink postgres")));
    assert_eq!((&findings[1]["ok"], &findings[1]["subject"]), (&json!(true), &json!("sink sqlite")));
    asked.join().expect("served");
}

#[test]
fn a_spool_is_wrong_with_dead_letters_damaged_files_and_old_batches() {
    let file = holding([]);
    let folder = file.folder.path().join("spool");
    std::fs::create_dir_all(folder.join("slot-0")).expect("made");
    let output = check(&file, &["--spool", "spool"], "");
    assert_eq!(code(&output), Some(0), "{}", text(&output));
    assert!(text(&output).contains("0 records wait, 0 processes use it"), "{}", text(&output));
    std::fs::write(folder.join("slot-0/spool.redb.corrupt-1795335611000000"), "x").expect("written");
    let record = Make::new("log", "x", 1, 0).record().to_json();
    let letter = format!(
        "{{\"at\":\"2026-11-22T08:20:11.000000Z\",\"sink\":\"postgres\",\"reason\":\"bad\",\"record\":{record}}}\n"
    );
    std::fs::write(folder.join("dead-letters.jsonl"), letter).expect("written");
    std::fs::create_dir(folder.join("slot-1")).expect("made");
    std::fs::write(folder.join("slot-1/spool.redb"), "x").expect("written");
    let account = json!({
        "version": 1, "at": "2026-11-22T08:20:11.000000Z", "pid": 4711, "host": "web-1",
        "started_at": "2026-11-22T08:00:00.000000Z", "undecided_traces": 0, "trouble": null,
        "sinks": [{"name": "postgres", "batches": 2, "records": 9, "bytes": 4_096, "oldest": "2026-11-22T08:10:00.000000Z"}],
    });
    std::fs::write(folder.join("slot-1/account.json"), account.to_string()).expect("written");
    let output = check(&file, &["--spool", "spool"], "");
    assert_eq!(code(&output), Some(1));
    for says in
        ["1 records were refused for good", "a damaged file was set aside", "slot-1, sink postgres: the oldest records"]
    {
        assert!(text(&output).contains(says), "{says}: {}", text(&output));
    }
    assert!(text(&output).contains("its process has ended"), "{}", text(&output));
    let output = check(&file, &["--spool", "no-such-folder"], "");
    assert_eq!(code(&output), Some(1));
    assert!(text(&output).contains("cannot be read"), "{}", text(&output));
    let _ = ragtrace(&file, &["migrate"]);
}
