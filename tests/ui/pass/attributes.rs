//! Attributes of the function stay, those inside its body too; attributes of others come before and after ours.

use ragtrace::traced_stage;
use ragtrace_tests::captured;

/// Documentation.
#[traced_stage("attributes.all", descriptor = ALL)]
#[cfg(not(miri))]
#[must_use]
#[inline(never)]
#[deprecated(note = "to see it stay")]
fn all() -> u32 {
    #![expect(unused_variables, reason = "it is about this very lint")]
    #![expect(clippy::no_effect_underscore_binding, reason = "it is about this very lint")]
    let _x = 1;
    let unused = 2;
    3
}

#[cfg(any())]
#[traced_stage("attributes.never", descriptor = NEVER)]
fn never() -> Unknown {}

#[traced_stage("attributes.never_too", descriptor = NEVER_TOO)]
#[cfg(any())]
fn never_too() -> Unknown {}

#[traced_stage("attributes.arguments")]
async fn arguments(#[cfg(any())] _gone: Unknown, #[expect(unused_variables, reason = "seen")] x: u8) {}

#[tracing::instrument]
#[traced_stage("attributes.instrumented")]
async fn instrumented(n: u32) -> u32 {
    n
}

#[traced_stage("attributes.instrumented_inside")]
#[tracing::instrument(skip_all)]
async fn instrumented_inside(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[tokio::test]
#[traced_stage("attributes.test")]
async fn a_test_may_be_a_stage() {
    tokio::task::yield_now().await;
}

#[expect(unsafe_code, reason = "it is unsafe in name only")]
#[traced_stage("attributes.unsafe")]
unsafe fn dangerous(n: u32) -> u32 {
    n
}

#[traced_stage("attributes.twice")]
#[traced_stage("attributes.thrice", record(n: u8))]
async fn twice() {
    record!(n = 1);
}

macro_rules! stages {
    ($($name:ident($argument:ident: $type:ty) -> $returned:ty $body:block)*) => {$(
        #[traced_stage(fields($argument))]
        async fn $name($argument: $type) -> $returned $body
    )*};
}

stages! {
    made_by_a_macro(n: u32) -> Vec<u32> { vec![n] }
    made_by_a_macro_too(text: &str) -> Result<usize, std::fmt::Error> { Ok(text.len()) }
}

/// What a macro passes on as a type is in an invisible group.
macro_rules! returns {
    ($name:ident -> $returned:ty $body:block) => {
        #[traced_stage]
        fn $name() -> $returned $body
    };
    (stream $name:ident -> $returned:ty $body:block) => {
        #[traced_stage(stream)]
        fn $name() -> $returned $body
    };
}

returns!(future_from_a_macro -> std::pin::Pin<Box<dyn Future<Output = u8>>> {
    Box::pin(async move {
        tokio::task::yield_now().await;
        1
    })
});
returns!(stream stream_from_a_macro -> Result<futures_util::stream::BoxStream<'static, u8>, ()> {
    Ok(Box::pin(futures_util::stream::iter([1, 2])))
});

#[test]
fn attributes_stay() {
    let ((), captured) = captured(async {
        #[expect(deprecated, reason = "it says so")]
        let three = all();
        assert_eq!(three, 3);
        arguments(1).await;
        assert_eq!(instrumented(1).await, 1);
        assert_eq!(instrumented_inside(1).await, Ok(1));
        #[expect(unsafe_code, reason = "it is unsafe in name only")]
        // SAFETY: nothing is asked for.
        let n = unsafe { dangerous(1) };
        assert_eq!(n, 1);
        twice().await;
        made_by_a_macro(1).await;
        made_by_a_macro_too("a").await.unwrap();
        future_from_a_macro().await;
        drop(future_from_a_macro());
        drop(stream_from_a_macro().unwrap());
    });
    assert_eq!(captured.of(&ALL).completed().len(), 1);
    assert_eq!(captured.stage("made_by_a_macro").completed().one().count(), Some(1));
    assert_eq!(captured.stage("future_from_a_macro").len(), 2, "one that is not polled is no run");
    assert_eq!(captured.stage("stream_from_a_macro").cancelled().one().count(), Some(0));
    assert_eq!(captured.stage("attributes.thrice").completed().one().metric("n"), Some(1.0));
    assert_eq!(captured.stage("attributes.instrumented").completed().len(), 1);
}
