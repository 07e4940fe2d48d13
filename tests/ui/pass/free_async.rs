//! `async fn`: `?`, early `return`, patterns and `mut` arguments, coercions at the end.

use std::num::ParseIntError;

use ragtrace::traced_stage;
use ragtrace_tests::captured;

#[traced_stage]
async fn sum(mut start: u32, [first, second]: [&str; 2], (_, third): (u8, &str)) -> Result<u32, ParseIntError> {
    start += first.parse::<u32>()?;
    if start > 100 {
        return Ok(100);
    }
    start += second.parse::<u32>()?;
    Ok(start + third.parse::<u32>()?)
}

#[traced_stage]
async fn coerced(fail: bool) -> Result<Box<dyn Fn(u8) -> u8 + Send>, Box<dyn std::error::Error + Send + Sync>> {
    if fail {
        return Err("no".into());
    }
    tokio::task::yield_now().await;
    Ok(Box::new(|x| x + 1))
}

#[traced_stage]
async fn borrowed<'a>(text: &'a str, _other: &str) -> &'a str {
    tokio::task::yield_now().await;
    &text[1..]
}

#[traced_stage]
async fn nothing() {}

#[traced_stage]
async fn inferred() -> Vec<u8> {
    let list: Vec<u8> = Vec::new();
    if list.len() > 1 {
        return list;
    }
    "12".chars().map(|digit| digit.to_string().parse().unwrap_or_default()).collect()
}

#[test]
fn an_async_fn_is_a_stage() {
    let (outputs, captured) = captured(async {
        let text = String::from("hello");
        let borrowed = borrowed(&text, "other").await;
        nothing().await;
        (sum(1, ["2", "3"], (0, "4")).await, sum(100, ["1", "x"], (0, "")).await, borrowed.len(), inferred().await)
    });
    assert_eq!(outputs, (Ok(10), Ok(100), 4, vec![1, 2]));
    assert_eq!(captured.stage("sum").started().len(), 2);
    assert_eq!(captured.stage("sum").completed().len(), 2);
    assert_eq!(captured.stage("inferred").completed().one().count(), Some(2));
    assert_eq!(captured.stage("nothing").completed().one().count(), None);
}

#[test]
fn a_question_mark_fails_the_stage() {
    let (output, captured) = captured(async {
        coerced(true).await.err();
        assert_eq!(coerced(false).await.map(|add| add(1)).ok(), Some(2));
        sum(0, ["x", ""], (0, "")).await
    });
    assert!(output.is_err());
    let failed = captured.stage("sum").failed().one().error().cloned();
    assert_eq!(failed.as_ref().map(ragtrace::ErrorInfo::type_name), Some("ParseIntError"));
    assert_eq!(captured.stage("coerced").failed().len(), 1);
}
