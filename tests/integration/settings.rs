//! The sources of settings, and their precedence.

use std::error::Error as _;

use ragtrace::sink::Discard;
use ragtrace::{Builder, Level, Record, SetupError, traced_stage};

use crate::support::{Memory, finish, turn};

#[traced_stage(level = "debug")]
fn set_up() {}

/// Returns a lookup of these variables.
fn variables(set: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

/// Returns the records of a stage under these settings.
fn records(builder: Builder) -> Vec<Record> {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = builder.sink(memory.clone()).install().expect("the only one");
    set_up();
    finish(telemetry);
    memory.records().into_iter().filter(|record| record.stage() == Some("set_up")).collect()
}

/// Returns service, environment and version under these variables.
fn origin(set: &[(&str, &str)]) -> [Option<String>; 3] {
    let builder = ragtrace::builder().console(ragtrace::Console::Off).level(Level::Debug);
    let records = records(builder.from_lookup(variables(set)));
    let origin = records.first().expect("a record").origin();
    [origin.service(), origin.environment(), origin.version()].map(|text| text.map(str::to_owned))
}

const OURS: [(&str, &str); 5] = [
    ("RAGTRACE_SERVICE", "ours"),
    ("RAGTRACE_ENV", "our place"),
    ("RAGTRACE_VERSION", "1"),
    ("RAGTRACE_LOG", "debug"),
    ("RAGTRACE_CONSOLE", "off"),
];
const DATADOG: [(&str, &str); 3] = [("DD_SERVICE", "theirs"), ("DD_ENV", "their place"), ("DD_VERSION", "2")];
const ATTRIBUTES: &str = "service.name=other, deployment.environment=an%20old%20word,service.version=3,x=y";
const OTEL: [(&str, &str); 2] = [("OTEL_RESOURCE_ATTRIBUTES", ATTRIBUTES), ("OTEL_SERVICE_NAME", "named")];

#[test]
fn code_wins_over_the_environment_in_whichever_order_they_come() {
    let ours = || variables(&OURS);
    let coded = |builder: Builder| builder.service("code").environment("code").version("code");
    let before = coded(ragtrace::builder()).from_lookup(ours());
    let after = coded(ragtrace::builder().from_lookup(ours()));
    for builder in [before, after] {
        let records = records(builder);
        let [started, _] = &records[..] else { panic!("the level is the environment's: {records:?}") };
        let origin = [started.service(), started.environment(), started.version()];
        assert_eq!(origin, [Some("code"); 3]);
    }
    assert!(records(ragtrace::builder().level("info").from_lookup(ours())).is_empty());
    assert!(records(ragtrace::builder().from_lookup(ours()).level(Level::Info)).is_empty());
}

#[test]
fn our_variables_win_over_those_of_backends_and_these_over_opentelemetry_s() {
    let texts = |texts: [&str; 3]| texts.map(|text| Some(text.to_owned()));
    assert_eq!(origin(&[&OURS[..], &DATADOG, &OTEL].concat()), texts(["ours", "our place", "1"]));
    assert_eq!(origin(&[&DATADOG[..], &OTEL].concat()), texts(["theirs", "their place", "2"]));
    assert_eq!(origin(&OTEL), texts(["named", "an old word", "3"]));
    assert_eq!(origin(&OTEL[..1]), texts(["other", "an old word", "3"]));
    let newer = "deployment.environment=old,deployment.environment.name=new";
    assert_eq!(origin(&[("OTEL_RESOURCE_ATTRIBUTES", newer)]), [None, Some("new".to_owned()), None]);
    assert_eq!(origin(&[("RAGTRACE_SERVICE", ""), ("DD_SERVICE", "theirs")])[0].as_deref(), Some("theirs"));
    assert_eq!(origin(&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=x,malformed")]), [None, None, None]);
}

fn refused(builder: Builder) -> SetupError {
    let _turn = turn();
    builder.install().expect_err("it is refused")
}

#[test]
fn what_is_malformed_is_named_with_what_is_accepted() {
    const LOG: &str =
        "RAGTRACE_LOG: expected a level (trace, debug, info, warn, error or off) or a directive (target=level)";
    const DIRECTIVE: &str = "RAGTRACE_LOG: expected a directive whose level is trace, debug, info, warn, error or off";
    let (log, directive) = (format!("{LOG}, found \"loud\""), format!("{DIRECTIVE}, found \"rag=loud\""));
    for (name, value, says) in [
        ("RAGTRACE_LOG", "info,rag=loud", directive.as_str()),
        ("RAGTRACE_LOG", "loud", log.as_str()),
        (
            "RAGTRACE_CONSOLE",
            "loud",
            "RAGTRACE_CONSOLE: expected a form of console (auto, json, pretty or off), found \"loud\"",
        ),
        (
            "RAGTRACE_DURABILITY",
            "always",
            "RAGTRACE_DURABILITY: expected a durability (memory, spill or durable), found \"always\"",
        ),
        ("RAGTRACE_SPOOL_BYTES", "1 GB", "RAGTRACE_SPOOL_BYTES: expected a number of bytes, found \"1 GB\""),
    ] {
        let set = [(name, value)];
        // A setting in code does not hide an invalid variable.
        let error = refused(ragtrace::builder().from_lookup(variables(&set)).level("info"));
        assert_eq!(error.to_string(), says);
        assert!(error.is_setting() && !error.is_already_installed() && error.source().is_none());
    }
}

#[test]
fn a_folder_that_code_sets_is_not_bounded_by_the_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let limits = ragtrace::SpoolLimits::default();
    let elsewhere = folder.path().join("elsewhere");
    let named = elsewhere.to_str().expect("UTF-8").to_owned();
    let set = [("RAGTRACE_SPOOL", named.as_str()), ("RAGTRACE_LOG", "debug"), ("RAGTRACE_DURABILITY", "durable")];
    let builder = || ragtrace::builder().console(ragtrace::Console::Off).from_lookup(variables(&set));
    assert_eq!(records(builder().spool(folder.path().join("here"), limits)).len(), 2);
    assert!(!elsewhere.exists() && folder.path().join("here").exists());
    assert_eq!(records(builder()).len(), 2);
    assert!(elsewhere.exists());
}

#[test]
fn two_sinks_of_one_name_are_refused_and_two_of_different_names_are_not() {
    let builder = || ragtrace::builder().console(ragtrace::Console::Off).sink(Discard::new());
    let error = refused(builder().sink(Discard::new()));
    assert!(error.is_setting());
    let says = "two sinks have the name `discard`: rename one of them, for example with `.named(\"discard-2\")`";
    assert_eq!(error.to_string(), says);
    let _turn = turn();
    let telemetry = builder().sink(Discard::new().named("discard-2")).install().expect("the only one");
    let names: Vec<_> = telemetry.stats().sinks.into_iter().map(|sink| sink.name).collect();
    assert_eq!(names, ["discard", "discard-2"]);
    finish(telemetry);
}

#[test]
fn a_sink_called_as_the_console_is_refused_while_the_console_is_on() {
    let named = |console| ragtrace::builder().console(console).level("error").sink(Discard::new().named("console"));
    let error = refused(named(ragtrace::Console::Json));
    assert!(error.is_setting());
    let says = "two sinks have the name `console`: rename one of them, for example with `.named(\"console-2\")`";
    assert_eq!(error.to_string(), says);
    let _turn = turn();
    finish(named(ragtrace::Console::Off).install().expect("the only one"));
}

#[test]
fn a_sink_whose_name_is_not_plain_or_too_long_is_refused() {
    let long = "x".repeat(65);
    for name in ["", "a sink", "sänk", "a/b", &long] {
        let named = Discard::new().named(name.to_owned());
        let error = refused(ragtrace::builder().console(ragtrace::Console::Off).sink(named));
        let rule = "has to consist of 1 to 64 ASCII letters, digits, dots, dashes and underscores";
        assert!(error.is_setting() && error.to_string().ends_with(&format!("{name:?} {rule}")), "{error}");
    }
    let _turn = turn();
    let builder = ragtrace::builder().console(ragtrace::Console::Off);
    let (longest, dotted) = (Discard::new().named("x".repeat(64)), Discard::new().named("A.b-c_9"));
    finish(builder.sink(longest).sink(dotted).install().expect("the only one"));
}

#[test]
fn records_on_disk_without_a_folder_are_refused_with_both_ways_to_set_one() {
    let says = "the durability Spill needs a folder for the spool: set RAGTRACE_SPOOL or call `Builder::spool`";
    let set = [("RAGTRACE_DURABILITY", "spill")];
    let error = refused(ragtrace::builder().from_lookup(variables(&set)));
    assert_eq!((error.is_setting(), error.to_string()), (true, says.to_owned()));
}

#[test]
fn an_error_says_which_kind_it_is() {
    let _turn = turn();
    let telemetry = ragtrace::builder().console(ragtrace::Console::Off).install().expect("the only one");
    let error = ragtrace::builder().install().expect_err("there is one");
    assert!(error.is_already_installed() && !error.is_setting() && !error.is_io());
    finish(telemetry);
}

/// Runs a test of this program with these variables, one of which is not UTF-8.
#[cfg(unix)]
fn with_environment(test: &str, variables: &[(&str, &[u8])]) -> std::process::Output {
    use std::os::unix::ffi::OsStrExt;
    let program = std::env::current_exe().expect("this test");
    let mut command = std::process::Command::new(program);
    command.args(["--exact", test, "--nocapture"]).env("SETTINGS_OF_A_CHILD", "1");
    for (name, value) in variables {
        command.env(name, std::ffi::OsStr::from_bytes(value));
    }
    command.output().expect("it runs")
}

/// The child prints the settings that it got from its environment.
#[test]
fn the_environment_s_own_settings_are_taken() {
    if std::env::var_os("SETTINGS_OF_A_CHILD").is_none() {
        return;
    }
    let _turn = turn();
    match ragtrace::builder().from_env().sink(Discard::new()).install() {
        Ok(telemetry) => {
            set_up();
            finish(telemetry);
        }
        Err(error) => println!("refused: {error}"),
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_a_path_or_an_error_that_names_it() {
    use std::os::unix::ffi::OsStrExt;
    const CHILD: &str = "settings::the_environment_s_own_settings_are_taken";
    let ours = ["SERVICE", "ENV", "VERSION", "LOG", "CONSOLE", "SPOOL_BYTES", "DURABILITY"]
        .map(|name| format!("RAGTRACE_{name}"));
    for name in &ours {
        let output = with_environment(CHILD, &[(name, b"hunter2\xff")]);
        let said = String::from_utf8_lossy(&output.stdout);
        let expected = format!("refused: {name}: expected UTF-8, found an invalid byte at position 8");
        assert!(said.contains(&expected) && !said.contains("hunter2"), "{said}");
    }
    let theirs = ["DD_SERVICE", "DD_ENV", "DD_VERSION", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"];
    for name in theirs {
        let output = with_environment(CHILD, &[(name, b"hunter2\xff"), ("RAGTRACE_CONSOLE", b"off")]);
        let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
        assert!(!out.contains("refused") && err.contains(&format!("ragtrace: {name}: expected UTF-8")), "{out} {err}");
        assert!(!err.contains("hunter2"), "{err}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let spool = folder.path().join(std::ffi::OsStr::from_bytes(b"spool\xff"));
    let output = with_environment(
        CHILD,
        &[
            ("RAGTRACE_SPOOL", spool.as_os_str().as_bytes()),
            ("RAGTRACE_DURABILITY", b"durable"),
            ("RAGTRACE_CONSOLE", b"off"),
        ],
    );
    assert!(output.status.success() && spool.join("slot-0").is_dir(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_variable_that_is_empty_or_blank_counts_as_not_set() {
    let ours = ["SERVICE", "ENV", "VERSION", "LOG", "SPOOL", "SPOOL_BYTES", "DURABILITY"]
        .map(|name| format!("RAGTRACE_{name}"));
    for blank in ["", " ", "\t \n"] {
        let set: Vec<_> = ours.iter().map(|name| (name.as_str(), blank)).chain(DATADOG).collect();
        assert_eq!(origin(&set)[0].as_deref(), Some("theirs"), "{blank:?}");
    }
    let records = records(
        ragtrace::builder().from_lookup(variables(&[("RAGTRACE_LOG", " debug\n"), ("RAGTRACE_CONSOLE", " OFF ")])),
    );
    assert_eq!(records.len(), 2);
    let error = refused(ragtrace::builder().spool("", ragtrace::SpoolLimits::default()));
    assert_eq!(error.to_string(), "the path of the spool's folder is empty: pass one to `Builder::spool`");
}
