//! Methods of `#[async_trait]`, on the trait, on the implementation, and on both.

use async_trait::async_trait;
use ragtrace::traced_stage;
use ragtrace_tests::captured;

#[async_trait]
trait Embedder: Send + Sync {
    #[traced_stage("embedder.one", fields(text))]
    async fn one(&self, text: &str) -> Result<Vec<f32>, std::io::Error> {
        Ok(self.many(&[text]).await?.remove(0))
    }

    async fn many(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, std::io::Error>;
}

struct Fixed {
    dimensions: usize,
}

#[async_trait]
impl Embedder for Fixed {
    #[traced_stage(
        "embedder.many",
        fields(self.dimensions, texts = texts.len()),
        ok(|vectors| first = vectors.first().map(Vec::len)),
        record(batch: usize),
    )]
    async fn many(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, std::io::Error> {
        if self.dimensions == 0 {
            return Err(std::io::Error::other("no dimensions"));
        }
        record!(batch = texts.len());
        tokio::task::yield_now().await;
        Ok(texts.iter().map(|_| vec![0.0; self.dimensions]).collect())
    }
}

#[async_trait(?Send)]
trait Local {
    async fn local(self: std::rc::Rc<Self>) -> usize;
}

#[async_trait(?Send)]
impl Local for Fixed {
    #[traced_stage]
    async fn local(self: std::rc::Rc<Self>) -> usize {
        self.dimensions
    }
}

#[test]
fn a_method_of_async_trait_is_a_stage() {
    let ((), captured) = captured(async {
        let embedder: Box<dyn Embedder> = Box::new(Fixed { dimensions: 3 });
        assert_eq!(embedder.one("a").await.unwrap().len(), 3);
        assert!(Fixed { dimensions: 0 }.one("a").await.is_err());
        assert_eq!(std::rc::Rc::new(Fixed { dimensions: 2 }).local().await, 2);
    });
    let many = captured.stage("embedder.many");
    assert_eq!(many.completed().one().metric("first"), Some(3.0));
    assert_eq!(many.completed().one().metric("batch"), Some(1.0));
    assert_eq!(many.started().iter().next().and_then(|run| run.field("dimensions")?.as_u64()), Some(3));
    assert_eq!(many.failed().one().error().map(ragtrace::ErrorInfo::message), Some("no dimensions"));
    let one = captured.stage("embedder.one").started().iter().next().and_then(ragtrace::Record::span_id);
    assert_eq!(many.started().iter().next().and_then(ragtrace::Record::parent_span_id), one);
}
