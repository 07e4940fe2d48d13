//! The page's files, metrics and health.

use crate::support::multipart::Form;
use crate::support::server::Server;
use crate::support::wait_for;

#[test]
fn metrics_count_what_stages_did() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/healthz").send().json()["status"], "ok");
    let form = Form::new().file("guide.md", b"# Battery\n\nThe battery lasts eleven days.");
    assert_eq!(server.post("/api/ingest").form(form).send().status, 200);
    let metrics = wait_for("metrics", || {
        let answer = server.get("/metrics").send();
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        Some(answer.text()).filter(|text| text.contains("data_storage"))
    });
    assert!(metrics.contains("ragtrace_records_accepted_total{sink=\"sqlite\"}"), "{metrics}");
    assert!(metrics.contains("ragtrace_records_accepted_total{sink=\"live\"}"));
    assert!(metrics.lines().any(|line| line.starts_with("ragtrace_stage_") && line.contains("POST /api/ingest")));
}

#[test]
fn the_page_may_load_nothing_but_its_own_files() {
    let server = Server::start(&[]);
    for (path, media_type) in
        [("/", "text/html"), ("/assets/app.js", "text/javascript"), ("/assets/style.css", "text/css")]
    {
        let answer = server.get(path).send();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(&*format!("{media_type}; charset=utf-8")))
        );
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        let tag = answer.header("etag").expect("a tag").to_owned();
        let again = server.get(path).header("If-None-Match", &tag).send();
        assert_eq!((again.status, again.body.len()), (304, 0));
        let head = server.request("HEAD", path).send();
        assert_eq!((head.status, head.header("content-length")), (200, answer.header("content-length")));
    }
}
