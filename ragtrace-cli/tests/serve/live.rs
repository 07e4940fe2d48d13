//! New records as they come.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use ragtrace::{Record, Sink, Timestamp};

use crate::support::{Make, batch, ingestion};
use crate::viewer::{Viewer, holding, runtime};

/// Reads events up to one of this name, and returns its id and data.
fn next(stream: &mut BufReader<TcpStream>, name: &str) -> (Option<String>, String) {
    let (mut event, mut id, mut data, mut line) = (String::new(), None, String::new(), String::new());
    loop {
        line.clear();
        assert!(stream.read_line(&mut line).expect("it goes on") > 0, "the stream has ended");
        let text = line.trim_end_matches(['\r', '\n']);
        if let Some(value) = text.strip_prefix("event: ") {
            value.clone_into(&mut event);
        } else if let Some(value) = text.strip_prefix("id: ") {
            id = Some(value.to_owned());
        } else if let Some(value) = text.strip_prefix("data:") {
            data.push_str(value.strip_prefix(' ').unwrap_or(value));
        } else if text.is_empty() && !event.is_empty() {
            if event == name {
                return (id, data);
            }
            (event, id, data) = (String::new(), None, String::new());
        }
    }
}

fn now(event: &str, stage: &str, span: u64) -> Record {
    Make::new(event, stage, span, 0).with("timestamp", Timestamp::now().to_string()).record()
}

#[test]
fn records_arrive_as_they_are_stored_and_only_those_that_are_wanted() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let (mut all, mut some) =
        (viewer.stream("/live/events"), viewer.stream("/live/events?stage=retrieval&level=error"));
    next(&mut all, "open");
    next(&mut some, "open");
    let sink = file.sink();
    let deliver = |records: Vec<Record>| runtime().block_on(sink.deliver(&batch(records))).expect("delivered");
    deliver(vec![now("completed", "reranking", 71), now("failed", "retrieval", 72)]);
    let (id, rows) = next(&mut all, "rows");
    assert!(rows.contains("reranking_completed") && rows.contains("retrieval_failed"), "{rows}");
    assert!(id.expect("an id").parse::<i64>().is_ok_and(|micros| micros > 1_700_000_000_000_000));
    let (_, rows) = next(&mut some, "rows");
    assert!(!rows.contains("reranking") && rows.contains("retrieval_failed"), "{rows}");
    runtime().block_on(sink.close());
}

#[test]
fn a_page_that_comes_back_gets_what_it_missed() {
    let began = Timestamp::now();
    let file = holding([now("completed", "missed_stage", 5)]);
    let viewer = Viewer::of(&file.url(), &[]);
    let answer = viewer.get("/live").expect(200);
    assert!(answer.body.contains("missed_stage_completed"));
    let mut stream = crate::client::connect(viewer.address);
    let id = began.as_micros();
    write!(stream, "GET /live/events HTTP/1.1\r\nhost: {}\r\nlast-event-id: {id}\r\n\r\n", viewer.address)
        .expect("sent");
    let (_, rows) = next(&mut BufReader::new(stream), "rows");
    assert!(rows.contains("missed_stage_completed"), "{rows}");
}

#[test]
fn stages_that_run_are_on_top_while_their_process_reports() {
    let file = holding(ingestion());
    let sink = file.sink();
    runtime().block_on(sink.deliver(&batch([now("started", "long_stage", 9)]))).expect("delivered");
    let viewer = Viewer::of(&file.url(), &[]);
    assert!(viewer.get("/live").expect(200).body.contains("long_stage"));
    let (_, running) = next(&mut viewer.stream("/live/events"), "running");
    assert!(running.contains("long_stage"), "{running}");
    let (_, running) = next(&mut viewer.stream("/live/events?stage=another"), "running");
    assert!(running.contains("No stage is running"), "{running}");
    runtime().block_on(sink.close());
}

#[test]
fn too_many_pages_that_follow_are_told_so_and_lists_are_still_served() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let streams: Vec<_> = (0..64).map(|_| viewer.stream("/live/events")).collect();
    let answer = viewer.get("/live/events").expect(429);
    assert!(answer.body.contains("Too many pages"), "{answer:?}");
    viewer.get("/").expect(200);
    drop(streams);
    crate::viewer::until("a place is free again", || {
        let mut stream = crate::client::connect(viewer.address);
        write!(stream, "GET /live/events HTTP/1.1\r\nhost: {}\r\n\r\n", viewer.address).expect("sent");
        let mut head = [0; 12];
        stream.read_exact(&mut head).is_ok() && &head == b"HTTP/1.1 200"
    });
}
