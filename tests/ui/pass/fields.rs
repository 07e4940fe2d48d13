//! Every form of a field.

use std::path::Path;
use std::time::Duration;

use ragtrace::{Value, traced_stage};
use ragtrace_tests::captured;

#[derive(Debug)]
struct Document {
    name: String,
    meta: Meta,
    pair: (u8, u8),
}

#[derive(Debug)]
struct Meta {
    pages: Option<u32>,
}

struct Secret;

#[traced_stage(fields(
    text,
    doc.name,
    doc.meta.pages,
    doc.pair.0,
    dotted.name = 1_i8,
    path,
    %shown,
    ?listed,
    plain = text.len() > 2,
    shown_as = %shown,
    debugged = ?doc.pair,
    took = Duration::from_millis(1_500),
    letter = 'x',
    nothing = None::<u8>,
    r#type = "raw",
    sum = 1 + 2,
    negated = !text.is_empty(),
    block = { let two = 2; two * two },
    closure = 7_u64,
))]
async fn all(text: &str, doc: &Document, path: &Path, shown: u128, listed: [u8; 2], _secret: Secret) {}

#[traced_stage(fields(n,), ok(|out| out_len = out.len(), first = out[0], copied = n, count = out.len() * 10, cost_usd = 0.25,), err(|e| unused = *e))]
async fn from_the_result(n: u32) -> Result<Vec<u32>, u8> {
    if n == 0 { Err(7) } else { Ok(vec![n; 2]) }
}

#[traced_stage(ok(|(left, right)| left = *left, right = %right, neither = ?(left, right)))]
fn by_pattern() -> (u32, &'static str) {
    (1, "two")
}

#[traced_stage(ok(|_| count = None::<u32>, cost_usd = Some(0.5_f32)))]
fn optional() -> [u8; 3] {
    [0; 3]
}

#[test]
fn fields_are_recorded() {
    let doc = Document { name: "a.md".into(), meta: Meta { pages: Some(3) }, pair: (4, 5) };
    let ((), captured) = captured(async {
        all("text", &doc, Path::new("/tmp"), 1 << 100, [1, 2], Secret).await;
        from_the_result(9).await.unwrap();
        from_the_result(0).await.unwrap_err();
        by_pattern();
        optional();
    });
    let started = captured.stage("all").started();
    let text = |name: &str| started.one().field(name).map(Value::to_string).unwrap_or_default();
    assert_eq!(text("text"), "text");
    assert_eq!(text("doc.name"), "a.md");
    assert_eq!(text("doc.meta.pages"), "3");
    assert_eq!(text("doc.pair.0"), "4");
    assert_eq!(text("dotted.name"), "1");
    assert_eq!(text("path"), "/tmp");
    assert_eq!(text("shown"), (1_u128 << 100).to_string());
    assert_eq!(text("listed"), "[1, 2]");
    assert_eq!(text("plain"), "true");
    assert_eq!(text("debugged"), "(4, 5)");
    assert_eq!(text("took"), "1500");
    assert_eq!(text("type"), "raw");
    assert_eq!(text("sum"), "3");
    assert_eq!(text("block"), "4");
    assert_eq!(text("closure"), "7");
    assert_eq!(started.one().field("nothing"), None);
    assert_eq!(started.one().field("_secret"), None);

    let completed = captured.stage("from_the_result").completed();
    let metric = |name: &str| completed.one().metric(name);
    assert_eq!(completed.one().count(), Some(20), "what is said of the count goes before what is seen of it");
    assert_eq!((metric("out_len"), metric("first"), metric("copied")), (Some(2.0), Some(9.0), Some(9.0)));
    assert_eq!(metric("cost_usd"), Some(0.25));
    assert_eq!(completed.one().field("n"), Some(&Value::U64(9)), "an end repeats the fields of its start");
    assert_eq!(captured.stage("from_the_result").failed().one().metric("unused"), Some(7.0));

    let pattern = captured.stage("by_pattern").completed();
    assert_eq!(pattern.one().metric("left"), Some(1.0));
    assert_eq!(pattern.one().field("neither").and_then(Value::as_str), Some("(1, \"two\")"));
    assert_eq!(captured.stage("optional").completed().one().count(), Some(3));
    assert_eq!(captured.stage("optional").completed().one().metric("cost_usd"), Some(0.5));
}
