//! `ragtrace` by another path, and names that are odd.

use ragtrace_tests::captured;

mod deep {
    pub(super) mod path {
        pub(in super::super) use ragtrace_tests_renamed::telemetry;
    }
}

#[deep::path::telemetry::traced_stage(crate = self::deep::path::telemetry, fields(n), ok(|out| out = *out), record(p: u8), descriptor = ODD)]
async fn r#match(n: u8) -> u8 {
    record!(p = 1);
    deep::path::telemetry::stage!(
        "other.block", crate = self::deep::path::telemetry, renamed_from = "match.block", fields(n), record(q: u8), {
            record!(q = 2);
            n
        }
    )
}

#[ragtrace::traced_stage(crate = ::ragtrace, name = "dotted.name_2._x")]
#[expect(non_snake_case, reason = "the stage has a name of its own")]
fn camelCase() {}

#[test]
fn stages_of_a_crate_by_another_name_are_recorded() {
    let (_, captured) = captured(async {
        camelCase();
        r#match(1).await;
        ragtrace_tests_renamed::twice();
        ragtrace_tests_renamed::embed(&["a", "b"]).await
    });
    assert_eq!(captured.of(&ODD).completed().one().metric("p"), Some(1.0));
    assert_eq!(captured.stage("other.block").completed().one().metric("q"), Some(2.0));
    assert_eq!(ODD.name(), "match");
    assert_eq!(captured.stage("dotted.name_2._x").completed().len(), 1);
    let embedded = captured.of(&ragtrace_tests_renamed::EMBED).completed();
    assert_eq!((embedded.one().count(), embedded.one().metric("dimensions")), (Some(2), Some(3.0)));
    assert_eq!(embedded.one().field("model").and_then(|model| model.as_str()), Some("small"));
    assert_eq!(captured.stage("renamed.batch").completed().len(), 1);
}
