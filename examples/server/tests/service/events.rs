//! Traces while they run.

use ragtrace::TraceId;

use crate::support::events::Sent;
use crate::support::multipart::Form;
use crate::support::server::{Server, sample};

fn upload(server: &Server, id: TraceId) {
    let form = Form::new().file("guide.md", &sample("guide.md"));
    assert_eq!(server.post("/api/ingest").trace(id).form(form).send().status, 200);
}

#[test]
fn a_stream_that_is_opened_before_its_trace_shows_each_stage_and_ends() {
    let server = Server::start(&[]);
    let id = TraceId::new();
    let open = || server.get(&format!("/api/traces/{id}/events"));
    // One of the streams is itself a request of the trace that it shows.
    let streams = [open().events(), open().trace(id).events()];
    upload(&server, id);
    let [events, others] = streams.map(Iterator::collect::<Vec<Sent>>);
    assert_eq!(events, others);

    let (end, stages) = events.split_last().expect("an end");
    assert_eq!((end.name.as_str(), end.data["status"].as_str()), ("end", Some("completed")));
    assert!(end.data["duration_ms"].as_f64().is_some_and(|duration| duration > 0.0));
    assert!(stages.iter().all(|event| event.name == "stage"));
    let numbers: Vec<_> = stages.iter().map(|event| event.id.clone().expect("a number")).collect();
    assert_eq!(numbers, (1..=stages.len()).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(end.id.as_deref(), Some(&*format!("end-{}", stages.len())));
    for stage in ["POST /api/ingest", "ingestion", "document_ingestion", "file_parsing", "data_storage"] {
        let of: Vec<_> =
            stages.iter().map(Sent::stage).filter(|(name, _)| *name == stage).map(|(_, event)| event).collect();
        assert_eq!(of, ["started", "completed"], "{stage}");
    }
    let parsing = stages.iter().find(|event| event.stage() == ("file_parsing", "completed")).expect("there");
    assert_eq!((&parsing.data["kind"], &parsing.data["count"]), (&"parse".into(), &1.into()));
    assert!(parsing.data["duration_ms"].is_number() && parsing.data["metrics"]["chars"].is_number());
    assert_eq!(parsing.data["context"]["doc"], "guide.md");
}

#[test]
fn a_client_that_comes_back_goes_on_behind_what_it_has_seen() {
    let server = Server::start(&[]);
    let id = TraceId::new();
    upload(&server, id);
    let open = |last: &str| server.get(&format!("/api/traces/{id}/events")).header("Last-Event-ID", last);
    let all: Vec<_> = server.get(&format!("/api/traces/{id}/events")).events().collect();
    assert_eq!(open("5").events().collect::<Vec<_>>(), all[5..]);
    let last = all.len() - 1;
    assert_eq!(open(&last.to_string()).events().collect::<Vec<_>>(), all[last..], "the end alone");
    assert_eq!(open(&format!("end-{last}")).send().status, 204, "it stays away then");
    for unknown in ["", "no number", "999999"] {
        assert_eq!(open(unknown).events().collect::<Vec<_>>(), all, "{unknown:?}");
    }
}

#[test]
fn a_failed_trace_ends_as_failed_only_if_its_root_has() {
    let server = Server::start(&[]);
    let id = TraceId::new();
    let form = Form::new().file("broken.pdf", b"%PDF-1.7");
    assert_eq!(server.post("/api/ingest").trace(id).form(form).send().status, 422);
    let events: Vec<_> = server.get(&format!("/api/traces/{id}/events")).events().collect();
    // A client's mistake does not fail the request.
    assert_eq!(events.last().expect("an end").data["status"], "completed");
    let failed = events.iter().find(|event| event.name == "stage" && event.stage() == ("file_parsing", "failed"));
    let error = &failed.expect("it failed").data["error"];
    assert_eq!(error["message"], "parsing failed");
    assert!(error["type"].is_string() && error["chain"][0].is_string(), "{error}");
}

#[test]
fn the_page_has_its_events_whatever_level_the_sinks_have() {
    let server = Server::start_with(&[], &[("RAGTRACE_LOG", "warn")]);
    let id = TraceId::new();
    let form = Form::new().file("a.md", b"A text.").file("a.md", b"Another text.");
    assert_eq!(server.post("/api/ingest").trace(id).form(form).send().status, 200);
    let events: Vec<_> = server.get(&format!("/api/traces/{id}/events")).events().collect();
    assert_eq!(events.last().expect("an end").name, "end");
    let starts = events.iter().filter(|event| event.name == "stage");
    let starts = starts.filter(|event| event.stage() == ("document_ingestion", "started"));
    let mut indices: Vec<_> = starts.map(|event| event.data["context"]["file"].as_u64()).collect();
    indices.sort_unstable();
    assert_eq!(indices, [Some(0), Some(1)], "files of one name are told apart");
}
