//! A clean body stays clean under every lint there is.
#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery, missing_docs, unreachable_pub, unused)]
#![deny(missing_debug_implementations, single_use_lifetimes, let_underscore_drop, trivial_casts, unused_qualifications)]
#![deny(unused_results, unused_lifetimes, elided_lifetimes_in_paths, variant_size_differences, meta_variable_misuse)]
#![deny(clippy::unwrap_used, clippy::panic, clippy::unreachable, clippy::wildcard_imports, clippy::indexing_slicing)]
#![deny(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated, clippy::as_conversions)]
#![deny(clippy::default_numeric_fallback, clippy::large_futures, clippy::exhaustive_structs, clippy::str_to_string)]
#![forbid(unsafe_code)]

use std::future::Future;
use std::pin::Pin;

use futures_util::stream::{self, Stream};
use ragtrace::{stage, traced_stage};

/// An error.
#[derive(Debug)]
struct Failure(u8);

/// Documented.
#[traced_stage("lints.async", fields(text, len = text.len()), ok(|out| out_len = out.len()), err(|error| code = error.0), record(seen: usize), descriptor = ASYNC)]
async fn asynchronous(text: &str) -> Result<Vec<String>, Failure> {
    record!(seen = text.len());
    let words: Vec<String> = text.split(' ').map(ToOwned::to_owned).collect();
    if words.is_empty() {
        return Err(Failure(1));
    }
    std::future::ready(()).await;
    Ok(words)
}

#[traced_stage("lints.sync", fields(n))]
fn synchronous(n: u32) -> Option<u32> {
    n.checked_add(1)
}

#[traced_stage("lints.unit")]
async fn unit() {
    std::future::ready(()).await;
}

#[traced_stage("lints.opaque")]
fn opaque(n: u32) -> impl Future<Output = u32> + Send {
    std::future::ready(n)
}

#[traced_stage("lints.boxed")]
fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = &'a str> + Send + 'a>> {
    Box::pin(async move { text })
}

#[traced_stage("lints.stream")]
fn streaming(n: u32) -> impl Stream<Item = u32> + Send {
    stream::iter(0..n)
}

#[traced_stage("lints.try_stream", stream, err(|error| code = error.0))]
async fn try_streaming(n: u32) -> Result<impl Stream<Item = Result<u32, Failure>> + Send, Failure> {
    std::future::ready(()).await;
    if n == 0 { Err(Failure(0)) } else { Ok(stream::iter([Ok(n)])) }
}

#[traced_stage("lints.never")]
async fn forever() -> ! {
    loop {
        std::future::pending::<()>().await;
    }
}

/// A loader.
struct Loader {
    root: String,
}

impl Loader {
    #[traced_stage("lints.method", fields(self.root))]
    async fn load(&self, path: &str) -> String {
        std::future::ready(format!("{}/{path}", self.root)).await
    }
}

#[test]
fn it_runs() {
    let (lens, captured) = ragtrace_tests::captured(async {
        let loader = Loader { root: "x".to_owned() };
        let words = asynchronous("a b").await.map_or(0, |words| words.len());
        unit().await;
        let text = loader.load("y").await;
        let both = opaque(1).await.checked_add(synchronous(1).unwrap_or_default());
        let last = boxed(&text).await.len();
        drop((streaming(1), try_streaming(1).await.is_ok()));
        drop(forever());
        let block = stage!("lints.block", fields(last), ok(|n| n = *n), async { last }).await;
        let mut texts = vec![text];
        stage!("lints.sync_unit", fields(last), {
            texts.push(String::new());
        });
        let count = stage!("lints.sync_block", ok(|n| n = *n), record(seen: usize), {
            record!(seen = texts.len());
            texts.len()
        });
        let next = stage!("lints.sync_call", { synchronous(1) });
        let value = stage!("lints.sync_value", err(|error| code = error.0), {
            let number = next.ok_or(Failure(2))?;
            if number > 9 {
                return Err(Failure(3));
            }
            Ok(number)
        });
        assert_eq!((count, value.map_err(|error| error.0)), (2, Ok(2)));
        (words, both, last, block)
    });
    assert_eq!(lens, (2, Some(3), 3, 3));
    assert_eq!(captured.of(&ASYNC).completed().len(), 1);
}
