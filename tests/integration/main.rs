//! What the parts do together.
use ragtrace::sink::JsonLines;
use ragtrace::{RequestContext, traced_stage};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Default)]
struct Buf(Arc<std::sync::Mutex<Vec<u8>>>);
impl std::io::Write for Buf {
    fn write(&mut self, b: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(b);
        Ok(b.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
struct Doc {
    name: String,
    text: String,
}

#[traced_stage(kind = chunk, fields(doc.name), ok(|chunks| avg_chars = chunks.iter().map(|c| c.len()).sum::<usize>() as f64 / chunks.len() as f64))]
async fn chunk_document(doc: &Doc) -> Result<Vec<String>, std::io::Error> {
    tokio::time::sleep(Duration::from_millis(3)).await;
    if doc.text.is_empty() {
        return Err(std::io::Error::other("empty"));
    }
    Ok(doc.text.split(' ').map(str::to_owned).collect())
}
#[traced_stage(fields(n))]
fn fact(n: u64) -> u64 {
    if n == 0 { 1 } else { n * fact(n - 1) }
}
#[traced_stage(kind = pipeline, err(|e| code = %e))]
async fn ingestion(docs: Vec<Doc>) -> Result<u64, std::io::Error> {
    let mut total = 0;
    for doc in &docs {
        total += chunk_document(doc).await?.len() as u64;
    }
    Ok(total + fact(2))
}
#[traced_stage]
fn later(n: u32) -> impl Future<Output = u32> {
    async move { n + 1 }
}
#[traced_stage]
fn boxed(n: &u32) -> std::pin::Pin<Box<dyn Future<Output = Result<u32, String>> + Send + '_>> {
    Box::pin(async move { Ok(*n) })
}

#[tokio::test]
async fn smoke() {
    let buf = Buf::default();
    let t = ragtrace::builder()
        .service("svc")
        .console(ragtrace::Console::Pretty)
        .sink(JsonLines::new(buf.clone()))
        .install()
        .unwrap();
    let ctx = RequestContext::new().user_id("alice");
    let r = ctx.scope(ingestion(vec![Doc { name: "a.md".into(), text: "hello big world".into() }])).await;
    assert_eq!(r.unwrap(), 5);
    ctx.scope(ingestion(vec![Doc { name: "b.md".into(), text: "".into() }])).await.unwrap_err();
    let _ =
        tokio::time::timeout(Duration::from_millis(1), chunk_document(&Doc { name: "b.md".into(), text: "".into() }))
            .await;
    later(3).await;
    boxed(&3).await.unwrap();
    let _ = std::panic::catch_unwind(|| boom());
    let report = t.shutdown(Duration::from_secs(5)).await;
    println!("{report}");
    println!("{}", String::from_utf8(buf.0.lock().unwrap().clone()).unwrap());
    for s in ragtrace::stages() {
        println!("{s:?}");
    }
}
#[traced_stage]
fn boom() -> Vec<u8> {
    panic!("ouch {}", 1)
}
