//! Streams in every form that is taken.

use std::pin::Pin;

use futures_util::stream::{self, BoxStream, LocalBoxStream, Stream, StreamExt as _};
use ragtrace::traced_stage;
use ragtrace_tests::captured;

#[traced_stage(fields(n))]
fn opaque(n: u32) -> impl Stream<Item = u32> {
    stream::iter(0..n)
}

#[traced_stage]
fn borrowing<'a>(words: &'a [String]) -> impl Stream<Item = &'a str> + 'a {
    stream::iter(words.iter().map(String::as_str))
}

#[traced_stage(stream)]
fn boxed(n: u32) -> Pin<Box<dyn Stream<Item = Result<u32, String>> + Send>> {
    if n == 0 {
        return Box::pin(stream::empty());
    }
    Box::pin(stream::iter(0..n).map(|n| if n == 2 { Err("two".to_owned()) } else { Ok(n) }))
}

#[traced_stage(stream)]
fn in_a_result(n: u32) -> Result<impl Stream<Item = u32>, std::io::Error> {
    if n == 0 {
        return Err(std::io::Error::other("none"));
    }
    Ok(stream::iter(0..n))
}

#[traced_stage(stream)]
async fn awaited(n: u32) -> impl Stream<Item = u32> + Send {
    tokio::task::yield_now().await;
    stream::iter(0..n)
}

#[traced_stage(stream, err(|error| kind = ?error.kind()))]
async fn awaited_in_a_result(n: u32) -> Result<BoxStream<'static, Result<u32, std::io::Error>>, std::io::Error> {
    tokio::task::yield_now().await;
    if n == 0 {
        Err(std::io::Error::other("none"))?;
    }
    Ok(stream::iter(0..n).map(Ok).boxed())
}

#[traced_stage(stream, record(note: &str))]
fn local(n: std::rc::Rc<u32>) -> LocalBoxStream<'static, u32> {
    Box::pin(stream::once(async move {
        record!(note = "once");
        *n
    }))
}

#[traced_stage(stream)]
async fn boxed_and_awaited() -> Pin<Box<dyn Stream<Item = ()> + Send>> {
    Box::pin(stream::iter([(), ()]))
}

#[test]
fn a_stream_is_a_stage() {
    let ((), captured) = captured(async {
        assert_eq!(opaque(3).collect::<Vec<_>>().await, [0, 1, 2]);
        assert_eq!(borrowing(&["a".to_owned()]).count().await, 1);
        assert_eq!(boxed(4).count().await, 4);
        assert_eq!(boxed(0).count().await, 0);
        assert!(in_a_result(0).is_err());
        assert_eq!(in_a_result(2).unwrap().count().await, 2);
        assert_eq!(awaited(2).await.count().await, 2);
        assert!(awaited_in_a_result(0).await.is_err());
        assert_eq!(awaited_in_a_result(5).await.unwrap().count().await, 5);
        assert_eq!(local(std::rc::Rc::new(1)).count().await, 1);
        assert_eq!(boxed_and_awaited().await.count().await, 2);
    });
    assert_eq!(captured.stage("opaque").completed().one().count(), Some(3));
    assert!(captured.stage("opaque").completed().one().metric("first_item_ms").is_some());
    assert_eq!(captured.stage("boxed").failed().one().count(), Some(3), "the item that failed is one too");
    assert_eq!(captured.stage("boxed").completed().one().count(), Some(0));
    assert_eq!(captured.stage("in_a_result").failed().one().error().map(ragtrace::ErrorInfo::message), Some("none"));
    assert_eq!(captured.stage("in_a_result").completed().one().count(), Some(2));
    assert_eq!(captured.stage("awaited").completed().one().count(), Some(2));
    let failed = captured.stage("awaited_in_a_result").failed();
    assert_eq!(failed.one().field("kind").and_then(|kind| kind.as_str()), Some("Other"));
    assert_eq!(captured.stage("awaited_in_a_result").completed().one().count(), Some(5));
    let local = captured.stage("local").completed();
    assert_eq!(local.one().field("note").and_then(|note| note.as_str()), Some("once"));
    assert_eq!(captured.stage("boxed_and_awaited").completed().one().count(), Some(2));
}
