//! A LangSmith on loopback, which refuses what the real one does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ragtrace_sinks::{LangSmithFeedbackSink, LangSmithSink};
use ragtrace_sinks_support::{Answer, Received, Server};
use serde_json::{Value as Json, json};

use super::strict::{Run, expect, read_json};

pub(crate) const KEY: &str = "lsv2_pt_secret_of_the_test";

/// The setup of the server.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The answer to `GET /info`, or `None` for 500.
    pub(crate) info: Option<Json>,
    /// The workspace that has to be named with the key, which is an organisation's.
    pub(crate) workspace: Option<&'static str>,
    pub(crate) has_multipart: bool,
    pub(crate) runs: usize,
    pub(crate) bytes: usize,
}

impl Default for Setup {
    fn default() -> Self {
        let info = json!({
            "version": "0.12.3",
            "instance_flags": { "zstd_compression_enabled": true },
            "batch_ingest_config": { "use_multipart_endpoint": true, "size_limit": 100, "size_limit_bytes": 20_971_520 },
        });
        Self { info: Some(info), workspace: None, has_multipart: true, runs: 100, bytes: 20_971_520 }
    }
}

/// The runs and the feedback that the server has accepted.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) runs: HashMap<String, Run>,
    /// In the order of arrival.
    pub(crate) feedback: Vec<Json>,
    /// The number of runs that were posted again unchanged. `changed` counts those that were
    /// changed.
    pub(crate) repeated: usize,
    pub(crate) changed: usize,
    /// The reasons why requests were refused.
    pub(crate) refused: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct LangSmith {
    pub(crate) server: Server,
    kept: Arc<Mutex<Kept>>,
}

struct Refusal(u16, String);

impl LangSmith {
    pub(crate) fn start() -> Self {
        Self::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let of_handler = Arc::clone(&kept);
        let server = Server::start(move |request| {
            let mut kept = of_handler.lock().unwrap_or_else(PoisonError::into_inner);
            answer(&setup, request, &mut kept).unwrap_or_else(|Refusal(status, why)| {
                kept.refused.push(format!("{status}: {why}"));
                Answer::status(status).json(&json!({ "error": why }))
            })
        });
        Self { server, kept }
    }

    /// Returns a sink that sends to this server.
    pub(crate) fn sink(&self) -> LangSmithSink {
        LangSmithSink::new(KEY).endpoint(self.server.url()).project("test")
    }

    /// Returns a sink of scores that sends to this server.
    pub(crate) fn feedback(&self) -> LangSmithFeedbackSink {
        self.sink().feedback()
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the numbers of runs, and of runs that were posted again unchanged and changed.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let kept = self.kept();
        (kept.runs.len(), kept.repeated, kept.changed)
    }

    /// Returns the requests to a path.
    pub(crate) fn requests_to(&self, path: &str) -> Vec<Received> {
        self.server.requests().into_iter().filter(|request| request.path() == path).collect()
    }
}

impl Kept {
    /// Returns the run with this name.
    pub(crate) fn run(&self, name: &str) -> &Run {
        let mut named = self.runs.values().filter(|run| run.text("name") == name);
        let run = named.next().unwrap_or_else(|| panic!("no run {name}: {:?}, {:?}", self.runs, self.refused));
        assert!(named.next().is_none(), "two runs {name}");
        run
    }

    /// Fails unless each run is exactly below its parent, which is there.
    pub(crate) fn assert_whole_trees(&self) {
        for run in self.runs.values() {
            let Some(parent) = run.main.get("parent_run_id").and_then(Json::as_str) else { continue };
            let parent = self.runs.get(parent).unwrap_or_else(|| panic!("no parent of {run:?}"));
            assert_eq!(run.above(), Some(parent.text("dotted_order")));
            assert_eq!(run.text("trace_id"), parent.text("trace_id"));
        }
    }
}

fn answer(setup: &Setup, request: &Received, kept: &mut Kept) -> Result<Answer, Refusal> {
    let path = request.path();
    if path == "/info" {
        return setup.info.as_ref().map(|info| Answer::status(200).json(info)).ok_or(Refusal(500, "no info".into()));
    }
    let refuse = |status, why: &str| Err(Refusal(status, why.to_owned()));
    if request.header("x-api-key") != Some(KEY) {
        return refuse(401, "Invalid token");
    }
    match (setup.workspace, request.header("x-tenant-id")) {
        (Some(_), None) => return refuse(403, "org_scoped_key_requires_workspace"),
        (Some(wanted), Some(given)) if wanted != given => return refuse(403, "Forbidden"),
        _ => {}
    }
    match (request.method.as_str(), path) {
        ("GET", "/sessions") => Ok(Answer::status(200).json(&json!([]))),
        ("POST", "/runs/multipart") if setup.has_multipart => multipart(setup, request, kept),
        ("POST", "/runs/batch") => batch(setup, request, kept),
        ("POST", "/feedback") => feedback(request, kept),
        _ => refuse(404, "Not Found"),
    }
}

fn multipart(setup: &Setup, request: &Received, kept: &mut Kept) -> Result<Answer, Refusal> {
    let bad = |why: String| Refusal(422, why);
    if request.body.len() > setup.bytes {
        return Err(Refusal(413, format!("{} bytes", request.body.len())));
    }
    let content_type = request.header("content-type").unwrap_or_default();
    let boundary =
        content_type.strip_prefix("multipart/form-data; boundary=").ok_or_else(|| bad(content_type.into()))?;
    let parts = read_parts(&request.body, boundary).map_err(bad)?;
    if request.header("content-encoding").is_some() {
        let sizes = [
            ("x-pre-compressed-size", parts.iter().map(|(_, content)| content.len()).sum::<usize>()),
            ("x-post-compressed-size", request.raw_body.len()),
        ];
        for (name, size) in sizes {
            let is = request.header(name).map(str::to_owned);
            expect(is == Some(size.to_string()), || format!("{name} {is:?} and not {size}")).map_err(bad)?;
        }
    }
    let (mut runs, mut feedback): (Vec<Run>, Vec<Json>) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let content = read_json(content).map_err(bad)?;
        let mut words = name.splitn(3, '.');
        let (kind, id, part) = (words.next().unwrap_or_default(), words.next().unwrap_or_default(), words.next());
        match (kind, part) {
            ("post", None) => {
                expect(content["id"] == id, || format!("the part {name} has the run {}", content["id"]))
                    .map_err(bad)?;
                runs.push(Run { main: content, parts: HashMap::new() });
            }
            ("post", Some(part)) => {
                let run = runs.last_mut().filter(|run| run.text("id") == id);
                let run = run.ok_or_else(|| bad(format!("{name} comes before its run")))?;
                expect(["inputs", "outputs", "events", "extra", "error"].contains(&part), || name.clone())
                    .map_err(bad)?;
                expect(run.parts.insert(part.to_owned(), content).is_none(), || format!("{name} twice"))
                    .map_err(bad)?;
            }
            ("feedback", None) => {
                expect(content["id"] == id, || format!("the part {name}")).map_err(bad)?;
                expect(content["trace_id"].is_string(), || "feedback beside runs names its trace".into())
                    .map_err(bad)?;
                feedback.push(content);
            }
            _ => return Err(bad(format!("a part {name:?}"))),
        }
    }
    keep(setup, runs, feedback, kept)
}

/// Parses the parts of a body (RFC 7578), each with its name.
fn read_parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<(String, &'a [u8])>, String> {
    let (begin, end) = (format!("--{boundary}\r\n"), format!("--{boundary}--\r\n"));
    let mut parts = Vec::new();
    let mut rest = body;
    while rest != end.as_bytes() {
        rest = rest.strip_prefix(begin.as_bytes()).ok_or("no boundary where a part should begin")?;
        let head_end = rest.windows(4).position(|four| four == b"\r\n\r\n").ok_or("a part without content")?;
        let head = std::str::from_utf8(&rest[..head_end]).map_err(|error| error.to_string())?;
        let mut lines = head.split("\r\n");
        let name = lines.next().and_then(|line| line.strip_prefix("Content-Disposition: form-data; name=\""));
        let name = name.and_then(|name| name.strip_suffix('"')).ok_or_else(|| format!("a head {head:?}"))?;
        expect(lines.next() == Some("Content-Type: application/json"), || format!("a head {head:?}"))?;
        let length = lines.next().and_then(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).ok_or_else(|| format!("a head {head:?}"))?;
        expect(lines.next().is_none(), || format!("a head {head:?}"))?;
        let content = rest.get(head_end + 4..head_end + 4 + length).ok_or("a part that is cut off")?;
        rest = rest[head_end + 4 + length..].strip_prefix(b"\r\n").ok_or("a part of another length")?;
        parts.push((name.to_owned(), content));
    }
    Ok(parts)
}

fn batch(setup: &Setup, request: &Received, kept: &mut Kept) -> Result<Answer, Refusal> {
    let bad = |why: &str| Refusal(422, why.to_owned());
    if request.header("content-type") != Some("application/json") || request.header("content-encoding").is_some() {
        return Err(bad("a batch is plain JSON"));
    }
    if request.body.len() > setup.bytes {
        return Err(Refusal(413, format!("{} bytes", request.body.len())));
    }
    let body = read_json(&request.body).map_err(|why| bad(&why))?;
    if body["patch"] != json!([]) {
        return Err(bad("patch"));
    }
    let runs = body["post"].as_array().ok_or_else(|| bad("post"))?.iter().map(|run| {
        let mut run = Run { main: run.clone(), parts: HashMap::new() };
        for name in ["inputs", "outputs", "events", "extra", "error"] {
            if let Some(part) = run.main.as_object_mut().and_then(|main| main.remove(name)) {
                run.parts.insert(name.to_owned(), part);
            }
        }
        run
    });
    keep(setup, runs.collect(), Vec::new(), kept)
}

fn keep(setup: &Setup, runs: Vec<Run>, feedback: Vec<Json>, kept: &mut Kept) -> Result<Answer, Refusal> {
    if runs.len() + feedback.len() > setup.runs {
        return Err(Refusal(413, format!("{} runs", runs.len())));
    }
    for run in &runs {
        run.fault().map_err(|why| Refusal(400, why))?;
    }
    let mut had = false;
    for run in runs {
        let id = run.text("id").to_owned();
        match kept.runs.get(&id) {
            Some(known) => {
                had = true;
                *(if *known == run { &mut kept.repeated } else { &mut kept.changed }) += 1;
            }
            None => drop(kept.runs.insert(id, run)),
        }
    }
    for one in feedback {
        keep_feedback(one, kept)?;
    }
    // New runs were stored, and known ones stay as they were.
    Ok(if had { Answer::status(409) } else { Answer::status(202).json(&json!({ "message": "queued" })) })
}

fn feedback(request: &Received, kept: &mut Kept) -> Result<Answer, Refusal> {
    let one = read_json(&request.body).map_err(|why| Refusal(422, why))?;
    if !kept.runs.contains_key(one["run_id"].as_str().unwrap_or_default()) {
        return Err(Refusal(404, format!("Run {} not found", one["run_id"])));
    }
    let is_new = keep_feedback(one, kept)?;
    Ok(Answer::status(if is_new { 200 } else { 409 }))
}

fn keep_feedback(one: Json, kept: &mut Kept) -> Result<bool, Refusal> {
    let score = &one["score"];
    let is_score = score.is_null() || score.is_boolean() || score.is_number();
    let is_whole = one["key"].is_string() && one["feedback_source"]["type"].is_string() && is_score;
    expect(is_whole, || format!("feedback {one}")).map_err(|why| Refusal(422, why))?;
    let is_new = !kept.feedback.iter().any(|known| known["id"] == one["id"]);
    if is_new {
        kept.feedback.push(one);
    }
    Ok(is_new)
}
