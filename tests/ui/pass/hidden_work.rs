//! Futures and streams that a signature spells out in other words than the plainest: their stages end when they do.
#![expect(clippy::implied_bounds_in_impls, reason = "such signatures are what it is about")]

use std::pin::Pin;

use futures_util::future::{self, BoxFuture, FusedFuture, FutureExt as _, LocalBoxFuture, TryFuture};
use futures_util::stream::{self, BoxStream, FusedStream, LocalBoxStream, Stream, StreamExt as _, TryStream};
use ragtrace::traced_stage;
use ragtrace_tests::captured;

#[traced_stage("hidden.box_stream")]
fn box_stream(n: u8) -> BoxStream<'static, u8> {
    stream::iter(0..n).boxed()
}

#[traced_stage("hidden.local_box_stream")]
fn local_box_stream<'a>(n: u8) -> futures_util::stream::LocalBoxStream<'a, Result<u8, String>> {
    stream::iter((0..n).map(|n| if n == 2 { Err("two".to_owned()) } else { Ok(n) })).boxed_local()
}

#[traced_stage("hidden.pinned_stream")]
fn pinned_stream(n: u8) -> Pin<Box<dyn Stream<Item = u8> + Send>> {
    Box::pin(stream::iter(0..n))
}

#[traced_stage("hidden.pinned_impl_stream")]
fn pinned_impl_stream(n: u8) -> Pin<Box<impl Stream<Item = u8>>> {
    Box::pin(stream::iter(0..n))
}

#[traced_stage("hidden.result_of_a_stream")]
fn result_of_a_stream(n: u8) -> Result<impl Stream<Item = u8>, String> {
    if n == 0 { Err("none".to_owned()) } else { Ok(stream::iter(0..n)) }
}

#[traced_stage("hidden.async_box_stream")]
async fn async_box_stream(n: u8) -> std::io::Result<LocalBoxStream<'static, u8>> {
    Ok(stream::iter(0..n).boxed_local())
}

#[traced_stage("hidden.fused_stream")]
fn fused_stream(n: u8) -> impl Stream<Item = u8> + FusedStream {
    stream::iter(0..n).fuse()
}

#[traced_stage("hidden.fused_stream_alone")]
fn fused_stream_alone(n: u8) -> impl FusedStream<Item = u8> + Send {
    stream::iter(0..n).fuse()
}

#[traced_stage("hidden.try_stream")]
fn try_stream(n: u8) -> impl TryStream<Ok = u8, Error = String> {
    stream::iter((0..n).map(Ok))
}

#[traced_stage("hidden.box_future")]
fn box_future(n: u8) -> BoxFuture<'static, u8> {
    async move { n }.boxed()
}

#[traced_stage("hidden.local_box_future")]
fn local_box_future(n: &u8) -> LocalBoxFuture<'_, Result<u8, String>> {
    Box::pin(async move { if *n == 0 { Err("none".to_owned()) } else { Ok(*n) } })
}

#[traced_stage("hidden.pinned_impl_future")]
fn pinned_impl_future(n: u8) -> Pin<Box<impl Future<Output = u8> + Send>> {
    Box::pin(async move { n })
}

#[traced_stage("hidden.fused_future")]
fn fused_future(n: u8) -> impl Future<Output = u8> + FusedFuture {
    async move { n }.fuse()
}

#[traced_stage("hidden.try_future")]
fn try_future(n: u8) -> impl TryFuture<Ok = u8, Error = String> {
    future::ready(Ok(n))
}

#[traced_stage("hidden.future_of_anything")]
fn future_of_anything(n: u8) -> impl Future {
    future::ready(n)
}

#[traced_stage("hidden.boxed_future_of_a_stream", fields(n))]
fn boxed_future_of_a_stream(n: u8) -> BoxFuture<'static, Result<BoxStream<'static, u8>, String>> {
    Box::pin(async move {
        if n == 0 {
            return Err("none".to_owned());
        }
        Ok(stream::iter(0..n).boxed())
    })
}

#[traced_stage("hidden.future_of_a_stream", fields(n))]
fn future_of_a_stream(n: u8) -> impl Future<Output = impl Stream<Item = u8>> + Send {
    future::ready(stream::iter(0..n))
}

/// What makes futures later is not their work.
#[traced_stage("hidden.maker")]
fn maker(n: u8) -> Box<dyn Fn() -> BoxFuture<'static, u8>> {
    Box::new(move || async move { n }.boxed())
}

#[test]
fn their_stages_end_when_they_do() {
    fn is_terminated(stream: &impl FusedStream) -> bool {
        stream.is_terminated()
    }
    let ((), captured) = captured(async {
        assert_eq!(box_stream(3).count().await, 3);
        assert_eq!(local_box_stream(3).count().await, 3);
        assert_eq!(pinned_stream(3).count().await, 3);
        assert_eq!(pinned_impl_stream(3).count().await, 3);
        assert_eq!(result_of_a_stream(3).unwrap().count().await, 3);
        assert!(result_of_a_stream(0).is_err());
        assert_eq!(async_box_stream(3).await.unwrap().count().await, 3);
        let mut fused = fused_stream(3);
        assert_eq!(fused.by_ref().count().await, 3);
        assert!(is_terminated(&fused));
        assert_eq!(fused_stream_alone(3).count().await, 3);
        assert_eq!(futures_util::TryStreamExt::into_stream(try_stream(3)).count().await, 3);
        assert_eq!(box_future(3).await, 3);
        assert_eq!(local_box_future(&0).await, Err("none".to_owned()));
        assert_eq!(pinned_impl_future(3).await, 3);
        let mut fused = std::pin::pin!(fused_future(3));
        assert_eq!(fused.as_mut().await, 3);
        assert!(fused.is_terminated());
        assert_eq!(futures_util::TryFutureExt::into_future(try_future(3)).await, Ok(3));
        future_of_anything(3).await;
        assert_eq!(boxed_future_of_a_stream(3).await.unwrap().count().await, 3);
        assert!(boxed_future_of_a_stream(0).await.is_err());
        assert_eq!(future_of_a_stream(3).await.count().await, 3);
        assert_eq!(maker(3)().await, 3);
    });
    let streams = [
        "box_stream",
        "pinned_stream",
        "pinned_impl_stream",
        "result_of_a_stream",
        "async_box_stream",
        "fused_stream",
        "fused_stream_alone",
        "try_stream",
        "boxed_future_of_a_stream",
        "future_of_a_stream",
    ];
    for name in streams {
        let stage = captured.stage(&format!("hidden.{name}"));
        assert_eq!(stage.completed().one().count(), Some(3), "{name}");
    }
    for name in ["local_box_stream", "result_of_a_stream", "local_box_future", "boxed_future_of_a_stream"] {
        assert_eq!(captured.stage(&format!("hidden.{name}")).failed().len(), 1, "{name}");
    }
    for name in ["box_future", "pinned_impl_future", "fused_future", "try_future", "future_of_anything", "maker"] {
        assert_eq!(captured.stage(&format!("hidden.{name}")).completed().len(), 1, "{name}");
    }
}
