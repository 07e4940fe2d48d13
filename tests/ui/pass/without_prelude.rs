//! Nothing is in scope but what is named.
#![no_implicit_prelude]
#![deny(warnings, clippy::all, clippy::pedantic)]
#![forbid(unsafe_code)]

use ::futures_util::stream::Stream;
use ::std::boxed::Box;
use ::std::future::Future;
use ::std::pin::Pin;
use ::std::result::Result;

#[::ragtrace::traced_stage(fields(n, a = %n, b = ?n), ok(|out| out = *out), err(|e| e = e.len()), record(x: u8), descriptor = ASYNC)]
async fn asynchronous(n: u32) -> Result<u32, &'static str> {
    record!(x = 1);
    Result::Ok(n)
}

#[::ragtrace::traced_stage(root, kind = chunk, level = "trace", target = "x")]
fn synchronous() -> [u8; 2] {
    [0; 2]
}

#[::ragtrace::traced_stage]
fn opaque() -> impl Future<Output = u8> {
    async { 1 }
}

#[::ragtrace::traced_stage]
fn boxed() -> Pin<Box<dyn Future<Output = u8>>> {
    Box::pin(async move { 1 })
}

#[::ragtrace::traced_stage]
fn streaming() -> impl Stream<Item = u8> {
    ::futures_util::stream::iter([1])
}

#[::ragtrace::traced_stage("failing.streaming", stream, err(|_| n = 1))]
async fn failing_stream() -> Result<Pin<Box<dyn Stream<Item = Result<u8, u8>>>>, u8> {
    Result::Ok(Box::pin(::futures_util::stream::iter([Result::Ok(1)])))
}

#[::ragtrace::traced_stage]
fn never() -> ! {
    ::std::process::exit(0)
}

#[::ragtrace::traced_stage]
async fn never_later() -> ! {
    ::std::process::exit(0)
}

#[::core::prelude::v1::test]
fn it_works() {
    let (_, captured) = ::ragtrace_tests::captured(async {
        let _ = asynchronous(1).await;
        synchronous();
        opaque().await;
        boxed().await;
        ::std::mem::drop(streaming());
        ::std::mem::drop(failing_stream().await);
        if false {
            never();
        }
        if false {
            never_later().await;
        }
        let one = ::ragtrace::stage!("prelude.sync_block", ok(|n| n = *n), record(y: u8), {
            record!(y = 2);
            1
        });
        ::ragtrace::stage!("prelude.block", fields(one), record(y: u8), async {
            record!(y = 2);
            Result::<u8, u8>::Ok(1)
        })
        .await
    });
    ::std::assert_eq!(captured.of(&ASYNC).completed().len(), 1);
    ::std::assert_eq!(captured.stage("failing.streaming").cancelled().len(), 1);
}
