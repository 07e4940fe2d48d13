//! Plain functions that return a future: fields are read at the call, the run starts at the first poll.

use std::future::Future;
use std::pin::Pin;

use futures_util::future::{BoxFuture, LocalBoxFuture};
use ragtrace::traced_stage;
use ragtrace_tests::captured;

#[traced_stage(fields(n), ok(|out| doubled = *out))]
fn opaque(n: u32) -> impl Future<Output = u32> + Send {
    let twice = n * 2;
    async move { twice }
}

#[traced_stage]
fn borrowing<'a>(text: &'a str) -> impl Future<Output = Result<&'a str, String>> + 'a {
    async move { text.get(1..).ok_or_else(|| "too short".to_owned()) }
}

#[traced_stage]
fn boxed(n: &u32) -> Pin<Box<dyn Future<Output = Result<u32, String>> + Send + '_>> {
    Box::pin(async move {
        if *n == 0 {
            return Err("zero".into());
        }
        tokio::task::yield_now().await;
        Ok(*n)
    })
}

#[traced_stage]
fn boxed_otherwise(n: u32) -> BoxFuture<'static, u32> {
    let future: BoxFuture<'static, u32> = Box::pin(std::future::ready(n));
    if n == 0 {
        return future;
    }
    Box::pin(async move { future.await + 1 })
}

#[traced_stage]
fn local(n: std::rc::Rc<u32>) -> LocalBoxFuture<'static, u32> {
    Box::pin(async move { *n })
}

#[traced_stage]
fn walk(depth: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { if depth == 0 { 0 } else { walk(depth - 1).await + 1 } })
}

#[traced_stage]
async fn recursive(depth: u32) -> u32 {
    if depth == 0 { 0 } else { Box::pin(recursive(depth - 1)).await + 1 }
}

#[test]
fn a_returned_future_is_the_stage() {
    let ((), captured) = captured(async {
        let unpolled = opaque(1);
        drop(unpolled);
        assert_eq!(opaque(2).await, 4);
        let text = String::from("abc");
        assert_eq!(borrowing(&text).await, Ok("bc"));
        assert_eq!(borrowing("").await, Err("too short".to_owned()));
        assert_eq!((boxed(&3).await, boxed(&0).await), (Ok(3), Err("zero".to_owned())));
        assert_eq!((boxed_otherwise(0).await, boxed_otherwise(1).await), (0, 2));
        assert_eq!(local(std::rc::Rc::new(1)).await, 1);
        assert_eq!((walk(3).await, recursive(3).await), (3, 3));
    });
    let started = captured.stage("opaque").started();
    assert_eq!(started.one().field("n").and_then(ragtrace::Value::as_u64), Some(2), "only the polled one began");
    assert_eq!(captured.stage("opaque").completed().one().metric("doubled"), Some(4.0));
    assert_eq!(captured.stage("boxed").failed().len(), 1);
    assert_eq!((captured.stage("walk").completed().len(), captured.stage("recursive").completed().len()), (4, 4));
}
