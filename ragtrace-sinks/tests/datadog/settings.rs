//! Settings from variables and from code; `check`; the output of `Debug`.

use ragtrace::Sink;
use ragtrace::sink::{BoxSink, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace_sinks::{ConfigError, DatadogSink, Key, from_lookup};
use ragtrace_sinks_support::{Answer, Server};

use crate::intake::KEY;
use crate::support::{built, deliver, run, server, sink};

/// The variables that are set, the expected error, and whether a variable is missing.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, bool);

fn from(set: &[(&str, &str)]) -> Result<Vec<BoxSink>, ConfigError> {
    from_lookup(|name| match name {
        "RAGTRACE_SINKS" => Some("datadog".to_owned()),
        _ => set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
    })
}

fn names(set: &[(&str, &str)]) -> Vec<String> {
    from(set).expect("sinks").iter().map(|sink| sink.name().to_owned()).collect()
}

#[test]
fn variables_say_which_sorts_of_things_are_sent() {
    let key = ("DD_API_KEY", KEY);
    assert_eq!(names(&[key]), ["datadog"]);
    assert_eq!(names(&[key, ("RAGTRACE_DATADOG_METRICS", "true")]), ["datadog", "datadog-metrics"]);
    let all = [key, ("RAGTRACE_DATADOG_METRICS", "1"), ("DD_LLMOBS_ENABLED", "1"), ("DD_LLMOBS_ML_APP", "Rag")];
    assert_eq!(names(&all), ["datadog", "datadog-metrics", "datadog-evaluations", "datadog-llmobs"]);
    let agent = [
        ("RAGTRACE_DATADOG_LOGS", "false"),
        ("DD_LLMOBS_ENABLED", "true"),
        ("DD_SERVICE", "rag"),
        ("DD_AGENT_HOST", "::1"),
    ];
    assert_eq!(names(&agent), ["datadog-evaluations", "datadog-llmobs"], "the Agent has a key of its own");
}

#[test]
fn hosts_stand_in_for_a_site_that_is_none_of_datadog_s() {
    let (key, site) = (("DD_API_KEY", KEY), ("DD_SITE", "datad0g.com"));
    let logs = ("RAGTRACE_DATADOG_LOGS_URL", "https://logs.example");
    let api = ("RAGTRACE_DATADOG_API_URL", "https://api.example");
    let metrics = ("RAGTRACE_DATADOG_METRICS", "true");
    let spans = [("DD_LLMOBS_ENABLED", "true"), ("DD_SERVICE", "rag")];
    assert_eq!(names(&[key, site, logs, api, metrics]), ["datadog", "datadog-metrics"]);
    assert_eq!(names(&[key, site, logs]), ["datadog"]);
    let all = [key, site, logs, api, spans[0], spans[1]];
    assert_eq!(names(&all), ["datadog", "datadog-evaluations", "datadog-llmobs"]);
    let agent = [key, site, logs, ("DD_AGENT_HOST", "localhost"), spans[0], spans[1]];
    assert_eq!(names(&agent), ["datadog", "datadog-evaluations", "datadog-llmobs"]);
    for lacking in
        [&[key, site][..], &[key, site, api], &[key, site, logs, metrics], &[key, site, logs, spans[0], spans[1]]]
    {
        let error = from(lacking).expect_err("no host is known").to_string();
        assert!(error.starts_with("DD_SITE: \"datad0g.com\" is not a Datadog site"), "{error}");
        assert!(error.contains("set RAGTRACE_DATADOG_LOGS_URL and RAGTRACE_DATADOG_API_URL"), "{error}");
    }
}

#[test]
fn the_service_of_any_variable_is_the_application_s_name() {
    let others = [("OTEL_SERVICE_NAME", "named"), ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=of%2Dattributes")];
    for (set, expected) in [(&others[..], "named"), (&others[1..], "of-attributes")] {
        let server = server();
        let url = server.url();
        let common = [("DD_API_KEY", KEY), ("DD_LLMOBS_ENABLED", "1"), ("RAGTRACE_DATADOG_API_URL", &url)];
        let all: Vec<_> = common.iter().chain(set).copied().collect();
        let sinks = from(&all).expect("sinks");
        let spans = sinks.iter().find(|sink| sink.name() == "datadog-llmobs").expect("spans");
        deliver(spans, built([RecordBuilder::completed("a_stage")])).expect("it is taken");
        assert!(server.take_requests()[0].mentions(&format!("ml_app:{expected}")), "{expected}");
    }
}

#[test]
fn a_variable_that_is_of_no_use_is_named_with_what_to_set() {
    let key = ("DD_API_KEY", KEY);
    let llmobs = ("DD_LLMOBS_ENABLED", "true");
    let cases: [Case<'_>; 14] = [
        (&[], "set DD_API_KEY, or DD_API_KEY_FILE", true),
        (&[("DD_API_KEY", " ")], "set DD_API_KEY", true),
        (&[key, ("DD_API_KEY_FILE", "/k")], "both set", false),
        (&[key, ("DD_SITE", "datadog.eu")], "use one of datadoghq.com, us3.datadoghq.com", false),
        (&[key, ("RAGTRACE_DATADOG_LOGS", "off")], "RAGTRACE_DATADOG_LOGS: expected `true` or `false`", false),
        (&[key, ("RAGTRACE_DATADOG_LOGS", "no")], "leaves nothing to send", false),
        (&[key, ("RAGTRACE_DATADOG_API_URL", "api")], "RAGTRACE_DATADOG_API_URL: expected `https://host`", false),
        (&[key, llmobs], "set DD_LLMOBS_ML_APP", true),
        (&[key, llmobs, ("OTEL_SERVICE_NAME", "my app")], "OTEL_SERVICE_NAME: an application's name", false),
        (&[key, llmobs, ("OTEL_RESOURCE_ATTRIBUTES", "x")], "OTEL_RESOURCE_ATTRIBUTES: expected `key=value`", false),
        (&[key, llmobs, ("DD_LLMOBS_ML_APP", "my app")], "DD_LLMOBS_ML_APP: an application's name", false),
        (
            &[key, llmobs, ("DD_SERVICE", "a"), ("DD_SITE", "ddog-gov.com")],
            "ddog-gov.com has no LLM Observability",
            false,
        ),
        (
            &[llmobs, ("DD_SERVICE", "a"), ("DD_LLMOBS_AGENTLESS_ENABLED", "true"), ("DD_AGENT_HOST", "h")],
            "set DD_API_KEY",
            true,
        ),
        (
            &[key, llmobs, ("DD_SERVICE", "a"), ("DD_TRACE_AGENT_PORT", "x")],
            "DD_TRACE_AGENT_PORT: expected a port",
            false,
        ),
    ];
    for (set, says, is_missing) in cases {
        let error = from(set).expect_err("of no use");
        assert!(error.to_string().contains(says), "{set:?}: {error}");
        assert_eq!((error.is_missing_variable(), error.is_malformed_variable()), (is_missing, !is_missing), "{error}");
        assert!(!error.to_string().contains(KEY), "{error}");
    }
}

#[test]
fn what_variables_set_arrives_and_reaches_the_agent_that_they_name() {
    let (direct, agent) = (server(), server());
    let (url, port) = (direct.url(), agent.address().port().to_string());
    let set = [
        ("DD_API_KEY", KEY),
        ("RAGTRACE_DATADOG_LOGS_URL", &url),
        ("RAGTRACE_DATADOG_API_URL", &url),
        ("DD_TAGS", "team:search owner:ann"),
        ("DD_HOSTNAME", "node-7"),
        ("DD_SERVICE", "of-datadog"),
        ("RAGTRACE_SERVICE", "ours"),
        ("DD_ENV", "test"),
        ("DD_LLMOBS_ENABLED", "true"),
        ("DD_AGENT_HOST", "127.0.0.1"),
        ("DD_TRACE_AGENT_PORT", &port),
    ];
    let sinks = from(&set).expect("sinks");
    let records = || built([RecordBuilder::completed("a_stage")]);
    for sink in &sinks {
        deliver(sink, records()).expect("it is taken");
    }
    let entry = direct.take_requests()[0].json()[0].clone();
    assert_eq!((&entry["service"], &entry["hostname"]), (&"ours".into(), &"node-7".into()));
    assert_eq!(entry["ddtags"], "env:test,service:ours,team:search,owner:ann");
    let spans = agent.take_requests();
    assert_eq!(spans[0].path(), "/evp_proxy/v2/api/v2/llmobs");
    assert!(spans[0].mentions("ml_app:ours"));
    for sink in &sinks {
        let works = run(sink.check()).expect("all is well");
        assert!(works.contains("the API key is valid") || works.contains("forwards requests"), "{works}");
    }
}

#[test]
fn a_path_of_a_proxy_stays_and_the_whole_path_of_the_intake_is_understood() {
    for path in ["", "/", "/api/v2/logs"] {
        let server = server();
        let sink = sink(&server).logs_url(format!("{}{path}", server.url()));
        deliver(&sink, built([RecordBuilder::log("a line")])).expect("it is taken");
        assert_eq!(server.take_requests()[0].path(), "/api/v2/logs", "{path}");
    }
    let server = Server::start(|_| Answer::status(202));
    let sink = sink(&server).logs_url(format!("{}/proxy", server.url()));
    deliver(&sink, built([RecordBuilder::log("a line")])).expect("it is taken");
    assert_eq!(server.take_requests()[0].path(), "/proxy/api/v2/logs");
}

#[test]
fn a_setting_of_no_use_in_code_parks_and_says_so() {
    let bad = [
        (DatadogSink::new("k").site("datadoghq.org"), "is not a Datadog site"),
        (DatadogSink::new("k").logs_url("intake.example"), "a URL for Datadog"),
        (DatadogSink::new(Key::file("/nowhere/at/all")), "cannot read the key"),
        (DatadogSink::new(Key::from_fn(|| Err::<String, _>("the vault is sealed"))), "the vault is sealed"),
        (DatadogSink::new(""), "the key is empty"),
    ];
    for (sink, says) in bad {
        let error = deliver(&sink, built([RecordBuilder::log("a line")])).expect_err("of no use");
        assert_eq!(error.verdict(), Verdict::Park, "{error}");
        assert!(error.reason().contains(says), "{}", error.reason());
    }
}

#[test]
fn a_key_is_read_again_before_each_request() {
    let server = server();
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "an old key").expect("a file");
    let sink = DatadogSink::new(Key::file(file.path())).logs_url(server.url());
    let error = deliver(&sink, built([RecordBuilder::log("a line")])).expect_err("an old key");
    assert_eq!(error.verdict(), Verdict::Park);
    assert!(error.to_string().contains("check that DD_API_KEY is a key of the site"), "{error}");
    std::fs::write(file.path(), format!("{KEY}\n")).expect("a file");
    deliver(&sink, built([RecordBuilder::log("a line")])).expect("the new key");
}

#[test]
fn check_says_what_works_and_what_to_change() {
    let server = server();
    let logs = sink(&server);
    let spans = logs.llm_observability("rag-ask");
    let line = run(logs.check()).expect("all is well");
    assert!(line.starts_with("the API key is valid at 127.0.0.1, and logs go to http://"), "{line}");
    assert!(run(logs.metrics().check()).expect("all is well").contains("/api/v2/series"));
    assert!(run(spans.check()).expect("all is well").contains("spans of rag-ask go to"));
    assert!(run(spans.evaluations().check()).expect("all is well").contains("eval-metric"));
    let wrong = DatadogSink::new("another key").logs_url(server.url()).api_url(server.url());
    let error = run(wrong.check()).expect_err("no such key");
    assert!(error.verdict() == Verdict::Park && error.to_string().contains("403"), "{error}");
    let old = Server::start(|_| Answer::status(200).body(r#"{"version":"6.1","endpoints":["/v0.4/traces"]}"#));
    let error = run(sink(&server).agent(old.url()).llm_observability("a").check()).expect_err("no proxy");
    assert!(error.to_string().contains("no `evp_proxy`"), "{error}");
}

#[test]
fn no_debug_shows_the_key() {
    let server = server();
    let logs = sink(&server);
    let spans = logs.llm_observability("rag-ask");
    let shown = format!("{logs:?} {:?} {spans:?} {:?}", logs.metrics(), spans.evaluations());
    assert!(!shown.contains(KEY), "{shown}");
}
