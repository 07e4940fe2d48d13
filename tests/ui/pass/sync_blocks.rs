//! `stage!` of a block that is not `async`: it is run where it is written, and its value is the expression's.

use std::num::ParseIntError;

use ragtrace::{Countable, ErrorInfo, Record, Value, stage, testing, traced_stage};
use ragtrace_tests::captured;

#[test]
fn a_block_is_run_at_once_and_its_value_is_the_expressions() {
    let words = ["a", "bcd"];
    let ((), captured) = testing::capture_sync(|| {
        let lengths = stage!(
            "sync_block.lengths",
            kind = parse,
            fields(words = words.len()),
            ok(|lengths| longest = lengths.iter().copied().max()),
            record(seen: usize, note: &str),
            {
                record!(seen = words.len());
                words.iter().map(|word| word.len()).collect::<Vec<_>>()
            },
        );
        assert_eq!(lengths, [1, 3]);
        stage!(name = "sync_block.unit", {});
        let sum = stage!("sync_block.number", { 1 }) + stage!("sync_block.number", level = "debug", { 2 });
        assert_eq!(sum, 3);
    });
    let lengths = captured.stage("sync_block.lengths").completed().one();
    assert_eq!((lengths.count(), lengths.metric("longest"), lengths.metric("seen")), (Some(2), Some(3.0), Some(2.0)));
    assert_eq!(lengths.field("words"), Some(&Value::U64(2)));
    assert_eq!((lengths.kind().map(ragtrace::StageKind::as_str), lengths.busy()), (Some("parse"), None));
    assert_eq!(captured.stage("sync_block.unit").completed().len(), 1);
    assert_eq!(captured.stage("sync_block.number").completed().len(), 2);
}

fn sum(texts: &[&str]) -> Result<u32, ParseIntError> {
    let parsed = stage!("sync_block.parse", err(|_| texts = texts.len()), {
        let mut sum = 0;
        for text in texts {
            sum += text.parse::<u32>()?;
        }
        Ok::<_, ParseIntError>(sum)
    });
    // A question mark in the block ended the block alone.
    parsed.or(Ok(u32::MAX))
}

#[test]
fn a_question_mark_ends_the_block_as_a_failure() {
    let (sums, captured) = testing::capture_sync(|| (sum(&["1", "2"]), sum(&["1", "x", "2"])));
    assert_eq!(sums, (Ok(3), Ok(u32::MAX)));
    assert_eq!(captured.stage("sync_block.parse").completed().len(), 1);
    let failed = captured.stage("sync_block.parse").failed().one();
    assert_eq!(failed.error().map(ErrorInfo::message), Some("invalid digit found in string"));
    assert_eq!(failed.metric("texts"), Some(3.0));
}

fn even(n: u32) -> &'static str {
    let half = stage!("sync_block.half", {
        if !n.is_multiple_of(2) {
            return None;
        }
        Some(n / 2)
    });
    if half.is_some() { "even" } else { "odd" }
}

#[test]
fn a_return_ends_the_block_with_its_value() {
    let (said, captured) = testing::capture_sync(|| [even(2), even(3)]);
    assert_eq!(said, ["even", "odd"]);
    assert_eq!(captured.stage("sync_block.half").completed().len(), 2, "`None` is no failure");
}

#[test]
fn a_block_borrows_what_it_changes_and_takes_what_it_consumes() {
    let (kept, captured) = testing::capture_sync(|| {
        let mut pages = vec![1];
        let title = String::from("report");
        let label = String::from("draft");
        stage!("sync_block.borrows", fields(title, before = pages.len()), ok(|()| label = label.as_str()), {
            pages.push(title.len());
        });
        pages.push(2);
        let taken = stage!("sync_block.takes", ok(|text| chars = text.len()), { title });
        (pages, taken, label)
    });
    assert_eq!(kept, (vec![1, 6, 2], "report".to_owned(), "draft".to_owned()));
    let borrows = captured.stage("sync_block.borrows").completed().one();
    assert_eq!(borrows.field("before"), Some(&Value::U64(1)));
    assert_eq!(borrows.field("label").and_then(Value::as_str), Some("draft"));
    assert_eq!(captured.stage("sync_block.takes").completed().one().metric("chars"), Some(6.0));
}

#[test]
fn blocks_nest_in_each_other_and_in_functions_of_either_sort() {
    #[traced_stage("sync_block.around")]
    async fn around() -> u32 {
        let n = stage!("sync_block.outer", record(depth: u8), {
            let inner = stage!("sync_block.inner", record(depth: u8), {
                record!(depth = 2);
                1
            });
            record!(depth = 1);
            inner + 1
        });
        tokio::task::yield_now().await;
        let waited = stage!("sync_block.waited", async { stage!("sync_block.within_async", { n + 1 }) }).await;
        waited + stage!("sync_block.makes_a_future", { std::future::ready(1) }).await
    }
    let (n, captured) = captured(around());
    assert_eq!(n, 4);
    let span = |name| captured.stage(name).started().one().span_id();
    let parent = |name| captured.stage(name).started().one().parent_span_id();
    assert_eq!(parent("sync_block.outer"), span("sync_block.around"));
    assert_eq!(parent("sync_block.inner"), span("sync_block.outer"));
    assert_eq!(parent("sync_block.waited"), span("sync_block.around"));
    assert_eq!(parent("sync_block.within_async"), span("sync_block.waited"));
    let depth = |name| captured.stage(name).completed().one().metric("depth");
    assert_eq!((depth("sync_block.outer"), depth("sync_block.inner")), (Some(1.0), Some(2.0)));
}

fn first(text: &str) -> Result<Box<dyn std::fmt::Display>, ParseIntError> {
    stage!("sync_block.expected", { Ok(Box::new(text.parse::<u32>()?)) })
}

#[test]
fn a_block_has_the_type_that_is_expected_of_it() {
    let (values, captured) = testing::capture_sync(|| {
        let bytes: Vec<u8> = stage!("sync_block.collects", { (0..3).collect() });
        let text: Option<&dyn std::fmt::Debug> = stage!("sync_block.coerces", { bytes.first().map(|byte| byte as _) });
        let never: fn() -> u32 = || stage!("sync_block.diverges", { panic!("it is not called") });
        assert!(text.is_some() && std::hint::black_box(Some(never)).is_some());
        (bytes.len(), first("7").map(|first| first.to_string()), first("x").is_err())
    });
    assert_eq!(values, (3, Ok("7".to_owned()), true));
    assert_eq!(captured.stage("sync_block.collects").completed().one().count(), Some(3));
    let expected = captured.stage("sync_block.expected");
    assert_eq!((expected.completed().len(), expected.failed().len()), (1, 1));
}

#[test]
fn a_panic_in_a_block_goes_on_and_fails_the_stage() {
    let (caught, captured) = testing::capture_sync(|| {
        let is_there = std::hint::black_box(false);
        std::panic::catch_unwind(|| {
            stage!("sync_block.panics", {
                assert!(is_there, "on purpose");
            });
        })
        .is_err()
    });
    assert!(caught);
    let failed = captured.stage("sync_block.panics").failed().one();
    assert_eq!(failed.error().map(ErrorInfo::type_name), Some("panic"));
}

macro_rules! in_a_macro {
    ($name:literal, $block:block) => {
        stage!($name, $block)
    };
    ($name:literal, of $value:expr) => {
        stage!($name, $value)
    };
}

#[test]
fn a_block_may_come_from_another_macro() {
    let (values, captured) = testing::capture_sync(|| {
        let n = 1;
        (in_a_macro!("sync_block.passed_on", { n + 1 }), in_a_macro!("sync_block.passed_on", of { n + 2 }))
    });
    assert_eq!(values, (2, 3));
    assert_eq!(captured.stage("sync_block.passed_on").completed().len(), 2);
}

#[test]
fn an_async_block_may_come_from_another_macro() {
    let (value, captured) = captured(async { in_a_macro!("sync_block.passed_on_async", of async { 4 }).await });
    assert_eq!((value, captured.stage("sync_block.passed_on_async").completed().len()), (4, 1));
}

/// A batch that counts itself.
struct Batch(usize);

impl Countable for Batch {
    fn count(&self) -> usize {
        self.0
    }
}

#[test]
fn a_block_in_a_generic_method_is_a_stage() {
    struct Index<T>(Vec<T>);
    impl<T: Clone> Index<T> {
        fn load(&mut self, more: &[T]) -> usize {
            let batch = stage!("sync_block.generic", root, fields(more = more.len()), {
                self.0.extend_from_slice(more);
                Batch(more.len())
            });
            batch.0 + self.0.len()
        }
    }
    let (n, captured) = testing::capture_sync(|| Index(vec!['a']).load(&['b', 'c']));
    assert_eq!(n, 5);
    assert_eq!(captured.stage("sync_block.generic").completed().one().count(), Some(2));
    assert!(captured.stage("sync_block.generic").completed().iter().all(Record::is_local_root));
}

#[test]
fn nothing_is_recorded_and_the_value_stays_where_nobody_listens() {
    assert_eq!(stage!("sync_block.unheard", fields(never = never()), { 7 }), 7);
}

fn never() -> u32 {
    panic!("no field is read where nobody listens")
}
