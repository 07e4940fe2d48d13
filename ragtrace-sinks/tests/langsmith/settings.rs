//! Settings, from code and from variables.

use ragtrace::sink::{BoxSink, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace::{Level, RecordScore, Sink, TraceId};
use ragtrace_sinks::{ConfigError, Key, LangSmithSink, from_lookup};

use super::records::{batch, block_on, deliver, deliver_all};
use super::server::{KEY, LangSmith, Setup};

fn from(set: &[(&str, &str)]) -> Result<Vec<BoxSink>, ConfigError> {
    from_lookup(|name| {
        let all = [("RAGTRACE_SINKS", "langsmith")].iter().chain(set);
        all.filter(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()).next()
    })
}

fn deliver_one(sinks: &[BoxSink]) {
    deliver_all(&sinks[0], [RecordBuilder::completed("a").build()]);
}

#[test]
fn variables_of_either_name_set_key_endpoint_project_and_workspace() {
    let langsmith = LangSmith::with(Setup { workspace: Some("w-1"), ..Setup::default() });
    let slashed = format!("{}/", langsmith.server.url());
    for [prefix, project] in [["LANGSMITH", "LANGSMITH_PROJECT"], ["LANGCHAIN", "LANGCHAIN_SESSION"]] {
        let name = |name: &str| format!("{prefix}_{name}");
        let (key, endpoint, workspace) = (name("API_KEY"), name("ENDPOINT"), name("WORKSPACE_ID"));
        let set = [(&*key, KEY), (&endpoint, &slashed), (&workspace, "w-1"), (project, prefix)];
        let (trace_id, sinks) = (TraceId::new(), from(&set).expect("settings"));
        assert_eq!(sinks.iter().map(Sink::name).collect::<Vec<_>>(), ["langsmith", "langsmith-feedback"]);
        deliver_all(&sinks[0], [RecordBuilder::completed("a").trace_id(trace_id).build()]);
        let score = RecordBuilder::score(RecordScore::new("relevance", 1.0)).trace_id(trace_id).build();
        deliver_all(&sinks[1], [score]);
        assert!(langsmith.kept().runs.values().any(|run| run.text("session_name") == prefix));
    }
    assert_eq!(langsmith.kept().refused, [""; 0]);
}

#[test]
fn a_key_from_a_file_is_read_again_before_each_request() {
    let langsmith = LangSmith::start();
    let folder = std::env::temp_dir().join(format!("ragtrace-langsmith-{}", std::process::id()));
    std::fs::write(&folder, "revoked\n").expect("a file");
    let set =
        [("LANGSMITH_API_KEY_FILE", folder.to_str().expect("UTF-8")), ("LANGSMITH_ENDPOINT", &langsmith.server.url())];
    let sinks = from(&set).expect("settings");
    let error = deliver(&sinks[0], [RecordBuilder::completed("a").build()]).expect_err("a revoked key");
    assert_eq!(error.verdict(), Verdict::Park);
    std::fs::write(&folder, format!("{KEY}\n")).expect("a file");
    deliver_one(&sinks);
    std::fs::remove_file(&folder).expect("a file");
    let error = deliver(&sinks[0], [RecordBuilder::completed("a").build()]).expect_err("no file");
    assert!(
        error.verdict() == Verdict::Park && error.reason().contains("LANGSMITH_API_KEY_FILE"),
        "{}",
        error.reason()
    );
}

#[test]
fn a_function_gives_the_key_and_its_error_parks_the_sink() {
    let langsmith = LangSmith::start();
    let sink = LangSmithSink::new(Key::from_fn(|| Ok::<_, String>(KEY.to_owned()))).endpoint(langsmith.server.url());
    deliver_all(&sink, [RecordBuilder::completed("a").build()]);
    let sink = LangSmithSink::new(Key::from_fn(|| Err("the vault is sealed"))).endpoint(langsmith.server.url());
    let error = block_on(sink.deliver(&batch([RecordBuilder::completed("a").build()]))).expect_err("no key");
    assert!(error.verdict() == Verdict::Park && error.reason().contains("the vault is sealed"), "{}", error.reason());
}

#[test]
fn a_missing_key_and_a_malformed_url_are_told_at_the_start() {
    let error = from(&[]).expect_err("no key");
    assert!(error.is_missing_variable() && error.to_string().contains("set LANGSMITH_API_KEY"), "{error}");
    let set = [("LANGSMITH_API_KEY", KEY), ("LANGSMITH_ENDPOINT", "api.smith.langchain.com")];
    let error = from(&set).expect_err("no URL");
    assert!(error.is_malformed_variable() && error.to_string().starts_with("LANGSMITH_ENDPOINT: "), "{error}");
    let sink = LangSmithSink::new(KEY).endpoint("nowhere");
    let error = deliver(&sink, [RecordBuilder::completed("a").build()]).expect_err("no URL");
    assert!(error.verdict() == Verdict::Park && error.reason().contains("nowhere"), "{}", error.reason());
}

#[test]
fn no_debug_shows_the_key_and_names_and_levels_are_those_that_were_set() {
    let sink = LangSmithSink::new(KEY).named("smith").level(Level::Warn);
    assert!(!format!("{sink:?}").contains(KEY));
    assert_eq!((Sink::name(&sink), Sink::level(&sink)), ("smith", Some(Level::Warn)));
    assert!(sink.needs().all_end_records() && sink.needs().ancestry());
}
