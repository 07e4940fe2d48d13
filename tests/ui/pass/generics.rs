//! Type, const and lifetime parameters; `impl Trait` in and out; what is not bounded.

use std::fmt::{Debug, Display};
use std::future::Future;

use ragtrace::traced_stage;
use ragtrace_tests::captured;

#[traced_stage(fields(N = N, shown = %first))]
async fn bounded<'a, T, const N: usize>(first: T, items: &'a [T; N]) -> Result<&'a T, String>
where
    T: Display + PartialEq,
{
    items.iter().find(|item| **item == first).ok_or_else(|| format!("no {first}"))
}

#[traced_stage]
async fn unbounded<T, E>(result: Result<T, E>) -> Result<T, E> {
    result
}

#[traced_stage]
async fn debuggable<T, E: Debug>(result: Result<T, E>) -> Result<T, E> {
    result
}

#[traced_stage]
async fn fallible<T, E: std::error::Error>(result: Result<T, E>) -> Result<T, E> {
    result
}

#[traced_stage]
async fn called<F, R>(call: impl FnOnce(u32) -> F, with: u32) -> R
where
    F: Future<Output = R>,
{
    call(with).await
}

#[traced_stage]
async fn opaque(words: impl IntoIterator<Item = impl AsRef<str>>) -> impl Iterator<Item = usize> {
    let lengths: Vec<usize> = words.into_iter().map(|word| word.as_ref().len()).collect();
    lengths.into_iter()
}

#[traced_stage]
async fn opaque_inside(ok: bool) -> Result<(impl Debug, Option<impl Display>), std::io::Error> {
    if !ok {
        return Err(std::io::Error::other("asked to"));
    }
    Ok((1, Some("text")))
}

#[test]
fn generic_functions_are_stages() {
    let ((), captured) = captured(async {
        assert_eq!(bounded("b", &["a", "b"]).await, Ok(&"b"));
        assert_eq!(bounded(3, &[1, 2]).await, Err("no 3".to_owned()));
        assert!(unbounded(Err::<(), _>(String::from("secret"))).await.is_err());
        assert!(debuggable(Err::<(), _>([1, 2])).await.is_err());
        assert!(fallible(Err::<(), _>(std::io::Error::other("shown"))).await.is_err());
        assert_eq!(called(|n| async move { n + 1 }, 1).await, 2);
        assert_eq!(opaque(["a", "bc"]).await.sum::<usize>(), 3);
        assert!(opaque_inside(true).await.is_ok());
        assert!(opaque_inside(false).await.is_err());
    });
    let message = |stage: &str| captured.stage(stage).failed().one().error().map(|error| error.message().to_owned());
    assert_eq!(message("bounded").as_deref(), Some("no 3"));
    assert_eq!(message("unbounded").as_deref(), Some("String"), "an unbounded error gives its type's name");
    assert_eq!(message("debuggable").as_deref(), Some("[1, 2]"));
    assert_eq!(message("fallible").as_deref(), Some("shown"));
    assert_eq!(message("opaque_inside").as_deref(), Some("asked to"));
}
