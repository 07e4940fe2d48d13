//! Signing in and out.

use crate::client::Answer;
use crate::refusals::tokens;
use crate::support::{TRACE, ingestion};
use crate::viewer::{Viewer, holding};

const TOKEN: &str = "correct-horse-battery-staple";

/// Returns the cookie that an answer sets, as a request sends it.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").expect("a cookie");
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Strict") && set.contains("; Path=/"), "{set}");
    set.split(';').next().expect("a pair").to_owned()
}

#[test]
fn nothing_is_shown_without_a_token() {
    let file = holding(ingestion());
    let path = tokens(&file, &format!("# the team's\n{TOKEN}\n"));
    let viewer = Viewer::of(&file.url(), &["--tokens", &path]);
    for path in [
        "/",
        "/traces.json",
        "/traces/histogram",
        "/stages",
        "/costs",
        "/errors",
        "/scores",
        "/live",
        "/live/events",
        "/find?q=last",
        "/session",
    ] {
        let answer = viewer.get(path).expect(401);
        assert!(!answer.body.contains("ingestion") && !answer.body.contains("alice"), "{path}: {answer:?}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert!(viewer.get("/").body.contains("id=\"sign-in\""), "the page asks for a token");
    for authorization in
        ["Bearer", "Bearer ", "Bearer 0123456789abcdef", "Basic YTpi", &format!("Bearer {TOKEN}x"), TOKEN]
    {
        viewer.get_with("/", &[("authorization", authorization)]).expect(401);
    }
    for cookie in [
        "ragtrace_1=x",
        &format!("ragtrace_{}=", viewer.address.port()),
        &format!("ragtrace_{}={TOKEN}", viewer.address.port()),
    ] {
        viewer.get_with("/", &[("cookie", cookie)]).expect(401);
    }
    // Never in the query, where logs and histories would keep it.
    viewer.get(&format!("/?token={TOKEN}")).expect(401);
    viewer.get_with("/traces.json", &[("authorization", &format!("Bearer {TOKEN}"))]).expect(200);
    viewer.get("/assets/x/sign_in.js").expect(200);
}

#[test]
fn a_token_begins_a_session_and_signing_out_ends_it() {
    let file = holding(ingestion());
    let path = tokens(&file, TOKEN);
    let viewer = Viewer::of(&file.url(), &["--tokens", &path]);
    for (body, status) in [
        ("{\"token\":\"0123456789abcdef\"}", 401),
        ("{\"token\":\"\"}", 401),
        ("{}", 422),
        ("[]", 422),
        ("token", 400),
        ("{\"token\":\"x\",\"more\":1}", 422),
    ] {
        let answer = viewer.post("/session", &[], body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(answer.header("set-cookie").is_none());
    }
    let body = format!("{{\"token\":\"{TOKEN}\"}}");
    let form = viewer.request(
        "POST",
        "/session",
        &[("content-type", "application/x-www-form-urlencoded")],
        &format!("token={TOKEN}"),
    );
    assert_eq!(form.status, 415, "{form:?}");
    viewer.post("/session", &[("origin", "https://evil.example")], &body).expect(403);
    let (one, other) =
        (viewer.post("/session", &[], &body).expect(204), viewer.post("/session", &[], &body).expect(204));
    let (one, other) = (cookie(&one), cookie(&other));
    assert_ne!(one, other);
    assert!(!one.contains(TOKEN));
    let page = viewer.get_with("/", &[("cookie", &format!("theme=x; {one}; more=y"))]).expect(200);
    assert!(page.body.contains(TRACE) && page.body.contains("Sign out"));
    assert!(!page.body.contains(TOKEN) && !page.body.contains(one.split('=').nth(1).expect("an id")));
    let out =
        viewer.request("DELETE", "/session", &[("cookie", &one), ("sec-fetch-site", "same-origin")], "").expect(204);
    assert!(out.header("set-cookie").is_some_and(|set| set.contains("Max-Age=0")), "{out:?}");
    viewer.get_with("/", &[("cookie", &one)]).expect(401);
    viewer.get_with("/session", &[("cookie", &other)]).expect(204);
}

#[test]
fn a_token_that_is_made_is_printed_in_the_part_of_the_address_that_is_never_sent() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &["--new-token"]);
    let token = viewer.token.clone().expect("a token");
    assert_eq!(token.len(), 64);
    viewer.get("/").expect(401);
    viewer.get_with("/", &[("authorization", &format!("Bearer {token}"))]).expect(200);
    viewer.signal("TERM");
    let (_, said) = viewer.wait();
    assert!(!said.contains(&token), "{said}");
}
