//! Permissions of users and tenants.

use ragtrace::TraceId;
use serde_json::{Value, json};

use crate::support::client::Request;
use crate::support::multipart::Form;
use crate::support::server::{Server, command};

const ALICE: &str = "alices-token";
const BOB: &str = "bobs-token";

fn server() -> Server {
    Server::start(&["--token", "alices-token=acme/alice", "--token", "bobs-token=globex/bob"])
}

fn guide() -> Form {
    Form::new().file("guide.md", b"# Battery\n\nThe battery lasts eleven days without sun.")
}

#[test]
fn without_a_token_nothing_is_done_or_shown() {
    let server = server();
    let id = TraceId::new();
    let requests = [
        server.post("/api/ingest").form(guide()),
        server.post("/api/ask").json(&json!({ "question": "How long?" })),
        server.post("/api/feedback").json(&json!({ "trace_id": id.to_string(), "score": "up" })),
        server.get(&format!("/api/traces/{id}")),
        server.get(&format!("/api/traces/{id}/events")),
    ];
    for request in requests {
        for request in
            [request.clone(), request.clone().bearer("alices-toke"), request.header("Cookie", "ragtrace_session=x")]
        {
            let answer = request.trace(id).send();
            answer.problem(401);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert_ne!(answer.trace_id(), id, "a stranger chooses no trace");
        }
    }
    assert_eq!(server.get("/healthz").send().status, 200);
    assert_eq!(
        server.get("/api/session").send().json(),
        json!({ "required": true, "user_id": null, "tenant_id": null })
    );
}

#[test]
fn a_session_stands_for_its_token() {
    let server = server();
    server.post("/api/session").json(&json!({ "token": "nobodys" })).send().problem(401);
    let begun = server.post("/api/session").json(&json!({ "token": ALICE })).send();
    let cookie = begun.header("set-cookie").expect("a cookie");
    assert_eq!(begun.status, 204);
    assert!(
        cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict") && !cookie.contains(ALICE),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().expect("a pair").to_owned();

    let who = |cookie: &str| server.get("/api/session").header("Cookie", cookie).send().json();
    assert_eq!(who(&cookie), json!({ "required": true, "user_id": "alice", "tenant_id": "acme" }));
    let answer = server.post("/api/ingest").header("Cookie", &cookie).form(guide()).send();
    assert_eq!(answer.status, 200);
    let trace = server.stored(answer.trace_id(), |trace| trace.roots().all(|root| root.duration().is_some()));
    assert!(trace.logs().iter().all(|row| (row.user_id(), row.tenant_id()) == (Some("alice"), Some("acme"))));

    assert_eq!(server.request("DELETE", "/api/session").header("Cookie", &cookie).send().status, 204);
    assert_eq!(who(&cookie)["user_id"], Value::Null);
}

#[test]
fn documents_and_traces_of_another_tenant_are_out_of_reach() {
    let server = server();
    let answer = server.post("/api/ingest").bearer(ALICE).form(guide()).send();
    let id = answer.trace_id();
    let ask = |token: &str| {
        let question = json!({ "question": "How long does the battery last without sun?" });
        server.post("/api/ask").bearer(token).json(&question).events().next().expect("sources").data
    };
    assert_eq!((ask(ALICE).as_array().map(Vec::len), ask(BOB)), (Some(1), json!([])));

    let refused = |token: &str| {
        let thumb = json!({ "trace_id": id.to_string(), "score": "down" });
        [
            server.post("/api/feedback").bearer(token).json(&thumb).send(),
            server.get(&format!("/api/traces/{id}")).bearer(token).send(),
            server.get(&format!("/api/traces/{id}/events")).bearer(token).send(),
        ]
    };
    for answer in refused(BOB) {
        let problem = answer.problem(403);
        assert!(!problem.to_string().contains("acme") && !problem.to_string().contains("alice"), "{problem}");
    }
    // The same holds when only the store knows the trace.
    server.stored(id, |trace| trace.roots().all(|root| root.duration().is_some()));
    let [feedback, trace, events] = refused(ALICE);
    assert_eq!((feedback.status, trace.status, events.status), (204, 200, 200));
    assert_eq!(trace.json()["tenant_id"], "acme");
    let scored = server.stored(id, |trace| !trace.scores().is_empty());
    assert_eq!((scored.scores().len(), scored.scores()[0].tenant_id()), (1, Some("acme")));
    assert_eq!(scored.scores()[0].user_id(), Some("alice"));
}

#[test]
fn a_stream_that_was_opened_before_another_tenants_trace_shows_none_of_it() {
    let server = server();
    let id = TraceId::new();
    let stream = server.get(&format!("/api/traces/{id}/events")).bearer(BOB).events();
    assert_eq!(server.post("/api/ingest").bearer(ALICE).trace(id).form(guide()).send().trace_id(), id);
    let events: Vec<_> = stream.collect();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!((events[0].name.as_str(), &events[0].data["status"]), ("problem", &json!(403)));
}

#[test]
fn nobody_writes_into_a_trace_of_another_tenant() {
    let tokens = ["--token", "alices-token=acme/alice", "--token", "bobs-token=globex/bob"];
    let server = Server::start(&tokens);
    let id = TraceId::new();
    assert_eq!(server.post("/api/ingest").bearer(ALICE).trace(id).form(guide()).send().status, 200);
    server.stored(id, |trace| trace.roots().all(|root| root.duration().is_some()));
    let names = |request: Request| [request.clone().trace(id), request.header("X-Trace-ID", &id.to_string())];
    let question = json!({ "question": "How long does the battery last without sun?" });
    let ask = |server: &Server, token: &str| names(server.post("/api/ask").bearer(token).json(&question));
    let check = |server: &Server| {
        for request in ask(server, BOB).into_iter().chain(names(server.post("/api/ingest").bearer(BOB).form(guide()))) {
            let answer = request.send();
            assert_eq!(answer.status, 200);
            assert_ne!(answer.trace_id(), id);
            let trace = server.stored(answer.trace_id(), |trace| trace.roots().all(|root| root.duration().is_some()));
            assert_eq!(trace.tenant_id(), Some("globex"));
        }
        for request in ask(server, ALICE) {
            assert_eq!(request.send().trace_id(), id, "it goes on for its own tenant");
        }
    };
    check(&server);
    // The same holds when only the store knows the trace. The service is killed next, so this waits
    // for the records.
    server.stored(id, |trace| trace.roots().filter(|root| root.duration().is_some()).count() == 3);
    let server = server.restart(&tokens);
    check(&server);
    let trace = server.stored(id, |trace| trace.roots().filter(|root| root.duration().is_some()).count() == 5);
    assert!(trace.logs().iter().all(|row| row.tenant_id() == Some("acme")));
}

#[test]
fn a_malformed_token_is_told_without_being_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("tokens"), "# ours\n\nalices-token=acme/alice\ns3cret-without-names\n")
        .expect("a file");
    std::fs::write(folder.path().join("none"), "# nobody yet\n").expect("a file");
    for (arguments, expected) in [
        (&["--token", "s3cret-without-names"][..], "--token 1 is not of the form TOKEN=TENANT/USER"),
        (&["--tokens-file", "tokens"], "line 4 of tokens is not of the form"),
        (&["--tokens-file", "none"], "there is no token in none"),
        (&["--tokens-file", "missing"], "the tokens at missing cannot be read"),
    ] {
        let ended = command(folder.path(), arguments).output().expect("the program runs");
        let told = String::from_utf8(ended.stderr).expect("UTF-8");
        assert_eq!(ended.status.code(), Some(2), "{told}");
        assert!(told.contains(expected) && !told.contains("s3cret"), "{told}");
    }
}
