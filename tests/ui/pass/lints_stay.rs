//! Lints of clippy that look from a macro's call at what is around it find the user's code in a stage too: each of them
//! is expected here, so one that is lost is a warning. Nor do lints take the stage's own code for the user's.

use futures_util::stream::{self, Stream};
use ragtrace::{stage, traced_stage};
use ragtrace_tests::captured;

#[traced_stage("stay.sync")]
fn synchronous(n: u32) -> String {
    #[expect(clippy::uninlined_format_args, reason = "it is about this very lint")]
    let text = format!("{}", n);
    text
}

#[traced_stage("stay.async")]
async fn asynchronous(n: u32) -> String {
    #[expect(clippy::assertions_on_constants, reason = "it is about this very lint")]
    {
        assert!(true);
    }
    #[expect(clippy::uninlined_format_args, reason = "it is about this very lint")]
    let text = format!("{}", n);
    text
}

#[traced_stage("stay.opaque")]
fn opaque(n: u32) -> impl Future<Output = String> {
    #[expect(clippy::uninlined_format_args, reason = "it is about this very lint")]
    let text = format!("{}", n);
    std::future::ready(text)
}

#[traced_stage("stay.stream")]
fn streaming(n: u32) -> impl Stream<Item = String> {
    #[expect(clippy::uninlined_format_args, reason = "it is about this very lint")]
    let text = format!("{}", n);
    stream::iter([text])
}

fn block(n: u32) -> String {
    stage!("stay.block", {
        #[expect(clippy::uninlined_format_args, reason = "it is about this very lint")]
        let text = format!("{}", n);
        #[expect(unused_variables, reason = "it is about this very lint")]
        let unused = 1;
        text
    })
}

/// A lint that is an error takes a future from an `async` block for a mistake. This is none.
#[traced_stage("stay.spawned")]
async fn spawned() -> tokio::task::JoinHandle<()> {
    tokio::spawn(async {})
}

#[test]
fn they_run() {
    let ((), captured) = captured(async {
        assert_eq!((synchronous(1), asynchronous(1).await, opaque(1).await), ("1".into(), "1".into(), "1".into()));
        drop(streaming(1));
        spawned().await.await.unwrap();
        assert_eq!(block(1), "1");
    });
    assert_eq!(captured.records().len(), 10);
}
