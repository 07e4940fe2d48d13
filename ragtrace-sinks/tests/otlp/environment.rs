//! Sinks from variables: which are read, in which order, and which values are refused.

use ragtrace::Sink;
use ragtrace::sink::BoxSink;
use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{Level, Origin};
use ragtrace_sinks::{ConfigError, from_lookup};
use ragtrace_sinks_support::Received;

use crate::fixture::{placed, trace};
use crate::receiver::{attribute, deliver, receiver, resource_spans};

fn sinks(variables: &[(&str, &str)]) -> Result<Vec<BoxSink>, ConfigError> {
    let set = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    from_lookup(|name| if name == "RAGTRACE_SINKS" { Some("otlp".to_owned()) } else { set(name) })
}

fn names(variables: &[(&str, &str)]) -> Vec<String> {
    sinks(variables).expect("sinks").iter().map(|sink| sink.name().to_owned()).collect()
}

fn refusal(variables: &[(&str, &str)]) -> String {
    sinks(variables).expect_err("of no use").to_string()
}

/// Delivers to each of the sinks, and returns their requests. `{url}` in a value is replaced by the
/// server's URL.
fn requests(variables: &[(&str, &str)]) -> Vec<Received> {
    let server = receiver();
    let replaced: Vec<_> =
        variables.iter().map(|(name, value)| (*name, value.replace("{url}", &server.url()))).collect();
    let replaced: Vec<_> = replaced.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for sink in sinks(&replaced).expect("sinks") {
        let line = placed(RecordBuilder::log("hello").level(Level::Info), 1, 0, 1)
            .origin(Origin::new(Uuid::from_u128(1)))
            .build();
        let records: Vec<_> = if sink.name() == "otlp" { trace() } else { vec![line] };
        deliver(&sink, records).expect("all is well");
    }
    server.take_requests()
}

#[test]
fn a_collector_gets_spans_and_log_records_unless_somebody_says_no() {
    assert_eq!(names(&[]), ["otlp", "otlp-logs"]);
    assert_eq!(names(&[("RAGTRACE_OTLP_LOGS", "false")]), ["otlp"]);
    assert_eq!(names(&[("OTEL_LOGS_EXPORTER", "none")]), ["otlp"]);
    assert_eq!(names(&[("OTEL_LOGS_EXPORTER", "none"), ("RAGTRACE_OTLP_LOGS", "yes")]), ["otlp", "otlp-logs"]);
    assert_eq!(names(&[("OTEL_SDK_DISABLED", "true")]), ["otlp", "otlp-logs"], "RAGTRACE_SINKS says it");
    assert_eq!(names(&[("RAGTRACE_OTLP_PROFILE", " Phoenix ")]), ["otlp"]);
}

#[test]
fn an_endpoint_of_all_signals_gets_paths_and_one_of_a_signal_is_the_whole_url() {
    let paths = |variables: &[(&str, &str)]| {
        requests(variables).iter().map(|request| request.path().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}/base/")]), ["/base/v1/traces", "/base/v1/logs"]);
    let both = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "{url}/spans"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "{url}"),
    ];
    assert_eq!(paths(&both), ["/spans", "/"]);
    let ours = [("RAGTRACE_OTLP_ENDPOINT", "{url}/ours"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "{url}/theirs")];
    assert_eq!(paths(&ours), ["/ours/v1/traces", "/ours/v1/logs"]);
}

#[test]
fn headers_are_percent_decoded_and_a_signals_own_take_the_place_of_those_of_all() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2, x-a = 1 "),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "x-b=2"),
    ];
    let requests = requests(&variables);
    let header = |at: usize, name: &str| requests[at].header(name).map(str::to_owned);
    assert_eq!((header(0, "authorization"), header(0, "x-a")), (Some("Bearer hunter2".into()), Some("1".into())));
    assert_eq!((header(1, "authorization"), header(1, "x-b")), (None, Some("2".into())));
}

#[test]
fn compression_and_timeouts_are_those_of_the_signal() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "GZIP"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
    ];
    let requests = requests(&variables);
    let encodings: Vec<_> =
        requests.iter().map(|request| request.header("content-encoding").map(str::to_owned)).collect();
    assert_eq!(encodings, [None, Some("gzip".to_owned())]);
}

#[test]
fn a_protocol_that_is_not_spoken_is_refused_with_what_to_set() {
    for name in
        ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"]
    {
        let error = refusal(&[(name, "grpc")]);
        assert!(error.starts_with(name) && error.contains("http/protobuf") && error.contains("4318"), "{error}");
        assert!(refusal(&[(name, "http/json")]).contains("set `http/protobuf`"));
        assert!(sinks(&[(name, "http/protobuf")]).is_ok());
    }
    let of_traces = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ("RAGTRACE_OTLP_LOGS", "no"),
    ];
    assert!(sinks(&of_traces).is_ok(), "the signal's own counts");
}

#[test]
fn values_of_no_use_are_refused_by_name_and_without_a_secret() {
    let bad = [
        (
            "RAGTRACE_OTLP_PROFILE",
            "jaeger",
            "expected one of `collector`, `phoenix`, `langfuse`, `langsmith`, `mlflow`, `datadog`, found \"jaeger\"",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", ""),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://me:hunter2@collector", ""),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "expected whole milliseconds"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "expected `gzip` or `none`"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2", "expected `key=value` pairs"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "bad name=hunter2", "the name of header 1 is invalid"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization: Basic hunter2==", "with `=` in between and not `:`"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-a=1,Bearer/hunter2=", "the name of header 2 is invalid"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2==", "header 1 has no value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2=", "header 1 has no value"),
        ("RAGTRACE_OTLP_HEADERS", "Authorization: Bearer hunter2=", "the name of header 1 is invalid"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-a=hunter2%0d%0ax-b: c", "of ASCII characters"),
        ("OTEL_RESOURCE_ATTRIBUTES", "hunter2", "expected `key=value` pairs"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:hunter2#ss@collector", "as percent codes"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:12?hunter2@collector", "as percent codes"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "user:hunter2", "expected `https://host`"),
        ("RAGTRACE_OTLP_ENDPOINT", "Bearer hunter2://collector-of-the-shop", "expected `https://"),
        ("RAGTRACE_OTLP_LOGS", "Bearer hunter2-0123456789abcdef", "expected `true` or `false`"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "Bearer hunter2-0123456789abcdef", "expected `gzip` or `none`"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "Bearer hunter2-0123456789abcdef", "expected `http/protobuf`"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "Bearer hunter2-0123456789abcdef", "expected whole milliseconds"),
        ("RAGTRACE_OTLP_PROFILE", "https://me:hunter2@x", "expected one of"),
        ("RAGTRACE_OTLP_LOGS", "maybe", "expected `true` or `false`"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not"),
    ];
    for (name, value, says) in bad {
        let error = sinks(&[(name, value)]).expect_err(name);
        assert!(error.is_malformed_variable(), "{error}");
        let error = error.to_string();
        assert!(error.starts_with(name) && error.contains(says) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_blank_variable_is_none() {
    let blank = [
        "RAGTRACE_OTLP_PROFILE",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
    ];
    assert_eq!(names(&blank.map(|name| (name, " "))), ["otlp", "otlp-logs"]);
}

#[test]
fn resources_get_the_variables_of_opentelemetry() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.namespace=shop%20one,service.name=attribute,deployment.environment.name=staging",
        ),
    ];
    let server = receiver();
    let with_url = |value: &str| value.replace("{url}", &server.url());
    let service_of = |more: &[(&str, &str)]| {
        let replaced: Vec<_> = variables.iter().chain(more).map(|(name, value)| (*name, with_url(value))).collect();
        let replaced: Vec<_> = replaced.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let sink = sinks(&replaced).expect("sinks").remove(0);
        let record = placed(RecordBuilder::completed("s"), 1, 0, 1).origin(Origin::new(Uuid::from_u128(1))).build();
        deliver(&sink, vec![record]).expect("all is well");
        let resource =
            resource_spans(&server.take_requests().remove(0)).remove(0).resource.expect("a resource").attributes;
        assert_eq!(attribute(&resource, "service.namespace").as_deref(), Some("`shop one`"));
        assert_eq!(attribute(&resource, "deployment.environment.name").as_deref(), Some("`staging`"));
        attribute(&resource, "service.name").expect("a name")
    };
    assert_eq!(service_of(&[]), "`attribute`");
    assert_eq!(service_of(&[("OTEL_SERVICE_NAME", "named")]), "`named`");
    assert_eq!(service_of(&[("OTEL_SERVICE_NAME", "named"), ("RAGTRACE_SERVICE", "ours")]), "`ours`");
}

#[test]
fn a_backends_own_variables_count_where_nothing_else_says_it() {
    let one = |variables: &[(&str, &str)]| {
        let mut requests = requests(variables);
        let request = requests.remove(0);
        move |name: &str| {
            if name == "path" { Some(request.path().to_owned()) } else { request.header(name).map(str::to_owned) }
        }
    };
    let some = |text: &str| Some(text.to_owned());
    let phoenix = one(&[
        ("RAGTRACE_OTLP_PROFILE", "phoenix"),
        ("PHOENIX_COLLECTOR_ENDPOINT", "{url}"),
        ("PHOENIX_API_KEY", "pk"),
        ("PHOENIX_PROJECT_NAME", "rag"),
        ("PHOENIX_CLIENT_HEADERS", "x-a=1,authorization=Bearer%20mine"),
    ]);
    assert_eq!(
        (phoenix("path"), phoenix("x-project-name"), phoenix("x-a")),
        (some("/v1/traces"), some("rag"), some("1"))
    );
    assert_eq!(phoenix("authorization"), some("Bearer mine"));
    let langfuse = one(&[
        ("RAGTRACE_OTLP_PROFILE", "langfuse"),
        ("LANGFUSE_BASE_URL", "{url}/"),
        ("LANGFUSE_PUBLIC_KEY", "pk-lf-1"),
        ("LANGFUSE_SECRET_KEY", "sk-lf-2"),
    ]);
    assert_eq!(
        (langfuse("path"), langfuse("authorization")),
        (some("/api/public/otel/v1/traces"), some("Basic cGstbGYtMTpzay1sZi0y"))
    );
    let langsmith = one(&[
        ("RAGTRACE_OTLP_PROFILE", "langsmith"),
        ("LANGSMITH_ENDPOINT", "{url}/api/v1"),
        ("LANGSMITH_API_KEY", "lsv2"),
        ("LANGSMITH_PROJECT", "rag"),
        ("LANGSMITH_WORKSPACE_ID", "w-1"),
    ]);
    assert_eq!((langsmith("path"), langsmith("x-api-key")), (some("/api/v1/otel/v1/traces"), some("lsv2")));
    assert_eq!((langsmith("langsmith-project"), langsmith("x-tenant-id")), (some("rag"), some("w-1")));
    let mlflow = one(&[
        ("RAGTRACE_OTLP_PROFILE", "mlflow"),
        ("MLFLOW_TRACKING_URI", "{url}"),
        ("MLFLOW_EXPERIMENT_ID", "12"),
        ("MLFLOW_TRACKING_USERNAME", "me"),
        ("MLFLOW_TRACKING_PASSWORD", "pass"),
    ]);
    assert_eq!((mlflow("x-mlflow-experiment-id"), mlflow("authorization")), (some("12"), some("Basic bWU6cGFzcw==")));
    let datadog = one(&[
        ("RAGTRACE_OTLP_PROFILE", "datadog"),
        ("RAGTRACE_OTLP_ENDPOINT", "{url}"),
        ("DD_SITE", "datadoghq.eu"),
        ("DD_API_KEY", "dd"),
        ("DD_SERVICE", "rag-api"),
    ]);
    assert_eq!(
        (datadog("path"), datadog("dd-api-key"), datadog("dd-ml-app")),
        (some("/v1/traces"), some("dd"), some("rag-api"))
    );
}

/// A name of 194 letters, one more than an application's name may have.
const A_LONG_NAME: &str = concat!(
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
);

#[test]
fn a_project_that_no_backend_takes_is_refused_at_the_start() {
    for (profile, name, header) in [
        ("phoenix", "PHOENIX_PROJECT_NAME", "x-project-name"),
        ("langsmith", "LANGSMITH_PROJECT", "langsmith-project"),
        ("langsmith", "LANGSMITH_WORKSPACE_ID", "x-tenant-id"),
        ("mlflow", "MLFLOW_EXPERIMENT_ID", "x-mlflow-experiment-id"),
        ("datadog", "DD_LLMOBS_ML_APP", "dd-ml-app"),
        ("datadog", "DD_SERVICE", "dd-ml-app"),
    ] {
        let with = |project: &'static str| {
            [
                ("RAGTRACE_OTLP_PROFILE", profile),
                ("RAGTRACE_OTLP_ENDPOINT", "{url}"),
                ("LANGSMITH_API_KEY", "key"),
                ("DD_API_KEY", "key"),
                (name, project),
            ]
        };
        let is_ml_app = header == "dd-ml-app";
        let (given, sent) = if is_ml_app { (" Rag_1:a/b.c\r\n", "rag_1:a/b.c") } else { (" rag 1\r\n", "rag 1") };
        assert_eq!(requests(&with(given))[0].header(header), Some(sent), "{name}");
        let no_ml_apps = if is_ml_app { &["rag 1", "a,b", A_LONG_NAME][..] } else { &[] };
        for bad in ["Größe", "two\nlines", "a\u{7f}"].iter().chain(no_ml_apps) {
            let mut variables = with(bad);
            variables[1].1 = "http://backend.test";
            let error = sinks(&variables).expect_err(bad);
            let said = error.to_string();
            let setting = if name == "DD_SERVICE" { "the service" } else { name };
            let is_said = ["expected one line", "an application's name in LLM Observability has"]
                .iter()
                .any(|why| said.starts_with(&format!("{setting}: {why}")));
            assert!(error.is_malformed_variable() && is_said, "{said}");
        }
    }
}

#[test]
fn a_url_of_ours_gets_nothing_that_is_for_another_exporter() {
    let theirs = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://vendor.test"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2,x-vendor=hunter2"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-vendor=hunter2"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/vendor.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/nowhere/vendor-key.pem"),
    ];
    let ours = |more: &[(&'static str, &'static str)]| {
        requests(&[&theirs[..], &[("RAGTRACE_OTLP_ENDPOINT", "{url}")], more].concat())
    };
    for headers in [" ", "x-a=1"] {
        let requests = ours(&[("RAGTRACE_OTLP_HEADERS", headers)]);
        assert_eq!(requests.len(), 2);
        for request in requests {
            assert!(request.headers.iter().all(|(_, value)| !value.contains("hunter2")), "{:?}", request.headers);
            assert_eq!(request.header("x-a"), (headers == "x-a=1").then_some("1"));
        }
    }
    let langfuse =
        [("RAGTRACE_OTLP_PROFILE", "langfuse"), ("LANGFUSE_PUBLIC_KEY", "pk-lf-1"), ("LANGFUSE_SECRET_KEY", "sk-lf-2")];
    assert_eq!(ours(&langfuse)[0].header("authorization"), Some("Basic cGstbGYtMTpzay1sZi0y"));
    let own = ours(&[("RAGTRACE_OTLP_COMPRESSION", "none"), ("RAGTRACE_OTLP_TIMEOUT", "2500")]);
    assert_eq!(own[0].header("content-encoding"), None);
    let half = [("RAGTRACE_OTLP_ENDPOINT", "https://ours.test"), ("RAGTRACE_OTLP_CLIENT_KEY", "key.pem")];
    assert!(refusal(&half).starts_with("RAGTRACE_OTLP_CLIENT_KEY is set and RAGTRACE_OTLP_CLIENT_CERTIFICATE is not"));
}

#[test]
fn a_key_of_a_backends_is_not_sent_to_whatever_takes_opentelemetrys() {
    type Variable = (&'static str, &'static str);
    let keys: [(&str, &[Variable], &str, &str); 6] = [
        ("phoenix", &[("PHOENIX_API_KEY", "hunter2")], "PHOENIX_API_KEY", "http://localhost:6006/v1/traces"),
        ("phoenix", &[("PHOENIX_CLIENT_HEADERS", "x-key=hunter2")], "PHOENIX_CLIENT_HEADERS", "http://localhost:6006"),
        (
            "langfuse",
            &[("LANGFUSE_PUBLIC_KEY", "pk"), ("LANGFUSE_SECRET_KEY", "hunter2")],
            "LANGFUSE_SECRET_KEY",
            "https://cloud.langfuse.com/api/public/otel",
        ),
        ("langsmith", &[("LANGSMITH_API_KEY", "hunter2")], "LANGSMITH_API_KEY", "https://api.smith.langchain.com/otel"),
        (
            "mlflow",
            &[("MLFLOW_TRACKING_USERNAME", "me"), ("MLFLOW_TRACKING_PASSWORD", "hunter2")],
            "MLFLOW_TRACKING_PASSWORD",
            "http://localhost:5000",
        ),
        (
            "datadog",
            &[("DD_API_KEY", "hunter2"), ("DD_SITE", "datadoghq.eu")],
            "DD_API_KEY",
            "https://otlp.datadoghq.eu",
        ),
    ];
    for (profile, key, name, home) in keys {
        let with =
            |more: &[(&'static str, &'static str)]| sinks(&[&[("RAGTRACE_OTLP_PROFILE", profile)], key, more].concat());
        for elsewhere in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
            let error = with(&[(elsewhere, "http://collector:4318")]).expect_err(profile);
            let said = error.to_string();
            assert!(error.is_malformed_variable() && said.starts_with(&format!("{name} is not sent to")), "{said}");
            assert!(said.contains("RAGTRACE_OTLP_ENDPOINT") && !said.contains("hunter2"), "{said}");
            assert!(with(&[(elsewhere, home)]).is_ok(), "{profile}: its own URL by another name");
        }
        assert!(with(&[("RAGTRACE_OTLP_ENDPOINT", "http://collector:4318")]).is_ok(), "{profile}");
        assert!(with(&[]).is_ok(), "{profile}");
    }
    let own = [
        ("RAGTRACE_OTLP_PROFILE", "phoenix"),
        ("PHOENIX_API_KEY", "hunter2"),
        ("PHOENIX_COLLECTOR_ENDPOINT", "{url}"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}/behind"),
    ];
    let request = requests(&own).remove(0);
    assert_eq!((request.path(), request.header("authorization")), ("/behind/v1/traces", Some("Bearer hunter2")));
    let in_a_header = [
        ("RAGTRACE_OTLP_PROFILE", "phoenix"),
        ("PHOENIX_API_KEY", "hunter2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "{url}"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20theirs"),
    ];
    assert_eq!(requests(&in_a_header)[0].header("authorization"), Some("Bearer theirs"));
}

#[test]
fn a_key_that_a_backend_needs_and_nobody_set_is_missed_by_name() {
    for (profile, names) in [
        ("langfuse", "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"),
        ("langsmith", "LANGSMITH_API_KEY"),
        ("datadog", "DD_API_KEY"),
    ] {
        let error = sinks(&[("RAGTRACE_OTLP_PROFILE", profile)]).expect_err("no key");
        assert!(error.is_missing_variable(), "{error}");
        assert_eq!(error.to_string(), format!("RAGTRACE_OTLP_PROFILE names `{profile}`: set {names}"));
    }
    let in_a_header =
        [("RAGTRACE_OTLP_PROFILE", "langfuse"), ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic%20abc")];
    assert!(sinks(&in_a_header).is_ok());
    let half = [("RAGTRACE_OTLP_PROFILE", "langfuse"), ("LANGFUSE_PUBLIC_KEY", "pk")];
    assert_eq!(refusal(&half), "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY go together: set both");
    let site = [("RAGTRACE_OTLP_PROFILE", "datadog"), ("DD_API_KEY", "dd"), ("DD_SITE", "evil.test/path")];
    assert!(refusal(&site).starts_with("DD_SITE: expected a site"));
}
