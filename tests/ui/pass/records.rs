//! `record!`: in the body, in closures, in nested stages and futures, from helpers, and nowhere else.

use ragtrace::{Value, stage, traced_stage};
use ragtrace_tests::captured;

#[traced_stage(record(pages: u32, note: &str, ratio: f64), fields(name))]
async fn outer(name: &str) -> usize {
    record!(pages = 1);
    record!(pages = 2, note = &format!("{name}!"), ratio = 0.5,);
    let says = |times: u32| (0..times).map(|_| record!(note = "from a closure")).count();
    assert_eq!(says(2), 2);
    let helper = async {
        tokio::task::yield_now().await;
        record!(ratio = 0.75);
    };
    helper.await;
    inner(|| record!(pages = 3)).await;
    let () = stage!("records.inner", fields(name), async {
        tokio::task::yield_now().await;
        record!(pages = 4);
    })
    .await;
    let nothing: Option<&str> = None;
    if let Some(nothing) = nothing {
        record!(note = nothing);
    }
    1
}

#[traced_stage("records.innermost", record(own: bool))]
async fn inner(with: impl FnOnce()) {
    with();
    record!(own = true);
}

#[traced_stage("records.sync", record(n: u64))]
fn sync(n: u64) -> u64 {
    record!(n = n);
    if n == 0 { 0 } else { sync(n - 1) }
}

#[traced_stage("records.elsewhere", record(n: u32))]
fn elsewhere() -> impl Fn() {
    || record!(n = 1)
}

#[traced_stage("records.spawning", record(n: u32))]
async fn spawning() {
    record!(n = 1);
    tokio::spawn(async { record!(n = 2) }).await.unwrap();
    ragtrace::spawn(async { record!(n = 3) }).await.unwrap();
    std::thread::scope(|scope| scope.spawn(|| record!(n = 4)).join().unwrap());
}

#[traced_stage("records.raw", record(r#type: &str, fn: bool))]
fn raw() {
    record!(r#type = "raw", fn = true);
}

#[traced_stage("records.failing", record(so_far: usize))]
async fn failing() -> Result<(), &'static str> {
    record!(so_far = 7);
    Err("stop")
}

#[traced_stage("records.unused", record(never: u8))]
fn unused() {}

#[traced_stage("records.counted", record(count: u32))]
async fn counted() {
    record!(count = 12);
}

impl ragtrace::ToValue for Tags {
    fn to_value(&self) -> Value {
        self.0.len().to_value()
    }
}

struct Tags(Vec<u8>);

#[traced_stage("records.own", record(tags: Tags))]
fn own() {
    record!(tags = Tags(vec![1]));
}

#[test]
fn record_finds_its_stage() {
    let ((), captured) = captured(async {
        outer("a").await;
        sync(2);
        elsewhere()();
        spawning().await;
        raw();
        failing().await.unwrap_err();
        unused();
        counted().await;
        own();
    });
    let end = captured.stage("outer").completed();
    assert_eq!(end.one().metric("pages"), Some(4.0), "the last one counts");
    assert_eq!(end.one().metric("ratio"), Some(0.75));
    assert_eq!(end.one().field("note"), Some(&Value::Text("from a closure".into())));
    assert_eq!(captured.stage("records.inner").completed().one().metric("pages"), None);
    assert_eq!(captured.stage("records.innermost").completed().one().field("own"), Some(&Value::Bool(true)));
    let each: Vec<_> = captured.stage("records.sync").completed().iter().map(|run| run.metric("n")).collect();
    assert_eq!(each, [Some(0.0), Some(1.0), Some(2.0)]);
    assert_eq!(captured.stage("records.elsewhere").completed().one().metric("n"), None);
    let spawning = captured.stage("records.spawning").completed();
    assert_eq!(spawning.one().metric("n"), Some(1.0), "other tasks and threads are not the stage");
    let raw = captured.stage("records.raw").completed();
    assert_eq!(raw.one().field("type").and_then(Value::as_str), Some("raw"));
    assert_eq!(raw.one().field("fn"), Some(&Value::Bool(true)));
    assert_eq!(captured.stage("records.failing").failed().one().metric("so_far"), Some(7.0));
    assert_eq!(captured.stage("records.counted").completed().one().count(), Some(12));
    assert_eq!(captured.stage("records.own").completed().one().metric("tags"), Some(1.0));
}
