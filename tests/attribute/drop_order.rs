//! Arguments are dropped in the same order as without the attribute, however the run ends.
#![expect(clippy::boxed_local, clippy::semicolon_if_nothing_returned, reason = "it is about such arguments")]
#![expect(clippy::many_single_char_names, reason = "many arguments")]

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_util::{Stream, StreamExt as _};
use ragtrace::traced_stage;
use ragtrace_tests::captured;

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// A value that notes its own drop.
struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

fn noisy<const N: usize>() -> [Noisy; N] {
    const NAMES: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];
    std::array::from_fn(|at| Noisy(NAMES[at]))
}

fn take(_: Noisy) {}

fn look(_: &Noisy) {}

fn dropped_by(run: impl FnOnce()) -> Vec<&'static str> {
    DROPPED.with_borrow_mut(Vec::clear);
    // A panic is one of the ways to end.
    let _ = catch_unwind(AssertUnwindSafe(run));
    DROPPED.with_borrow(Vec::clone)
}

fn poll<F: Future + ?Sized>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A future whose first poll is pending.
async fn pause() {
    let mut is_first = true;
    std::future::poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// The ways in which a run can go.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Through,
    Early,
    Question,
    Panic,
    /// The future is dropped after this many polls. A plain function runs to its end.
    Cancel(usize),
}

const WAYS: [Way; 7] =
    [Way::Through, Way::Early, Way::Question, Way::Panic, Way::Cancel(0), Way::Cancel(1), Way::Cancel(2)];

impl Way {
    fn fails(self) -> Result<(), String> {
        match self {
            Self::Question => Err("asked".to_owned()),
            Self::Panic => panic!("on purpose"),
            _ => Ok(()),
        }
    }
}

fn drive<F: Future>(future: F, way: Way) {
    let mut future = pin!(future);
    let polls = if let Way::Cancel(polls) = way { polls } else { 10 };
    for _ in 0..polls {
        if poll(future.as_mut()).is_ready() {
            return;
        }
    }
}

/// Writes a function twice, plain and as a stage, and compares the order of drops on every way,
/// with and without a listener. `$call` runs it.
macro_rules! compare {
    ($module:ident [$($arguments:tt)*] $call:expr; method $($function:tt)*) => {
        compare!(@ $module $call;
            { pub(super) struct Holder(pub(super) Noisy); impl Holder { pub(super) $($function)* } }
            { pub(super) struct Holder(pub(super) Noisy);
              impl Holder { #[traced_stage($($arguments)*)] pub(super) $($function)* } });
    };
    ($module:ident [$($arguments:tt)*] $call:expr; $($function:tt)*) => {
        compare!(@ $module $call;
            { pub(super) $($function)* }
            { #[traced_stage($($arguments)*)] pub(super) $($function)* });
    };
    (@ $module:ident $call:expr; { $($plain:tt)* } { $($stage:tt)* }) => {
        #[allow(unused_variables, unused_assignments, dead_code, clippy::needless_pass_by_value, clippy::unused_self, clippy::unused_async, clippy::manual_async_fn, clippy::toplevel_ref_arg, clippy::unnecessary_wraps, reason = "in one of both of them")]
        mod $module {
            use super::*;

            mod plain {
                use super::super::*;
                $($plain)*
                pub(super) fn call(way: Way) { ($call)(way) }
            }

            mod stage {
                use super::super::*;
                $($stage)*
                pub(super) fn call(way: Way) { ($call)(way) }
            }

            #[test]
            fn drops_as_without_the_attribute() {
                for way in WAYS {
                    let expected = dropped_by(|| plain::call(way));
                    assert!(!expected.is_empty(), "{way:?}");
                    assert_eq!(dropped_by(|| stage::call(way)), expected, "{way:?}, and nobody listens");
                    let (dropped, _captured) = captured(async { dropped_by(|| stage::call(way)) });
                    assert_eq!(dropped, expected, "{way:?}");
                }
            }
        }
    };
}

compare! { sync_in_the_order_of_use [] |way| { let [a, b, c] = noisy(); let _ = run(a, b, c, way); };
    fn run(a: Noisy, b: Noisy, c: Noisy, way: Way) -> Result<(), String> {
        look(&a);
        let _local = Noisy("local");
        look(&c);
        if way == Way::Early { return Ok(()) }
        way.fails()?;
        look(&b);
        Ok(())
    }
}

compare! { sync_moves [fields(way = ?way)] |way| { let [a, b, c] = noisy(); let _ = run(a, b, c, way); };
    fn run(a: Noisy, b: Noisy, c: Noisy, way: Way) -> Result<Noisy, String> {
        look(&b);
        if way == Way::Early { return Ok(b) }
        way.fails()?;
        take(c);
        Ok(a)
    }
}

compare! { sync_unused [] |way| { let [a, b, c, d, e] = noisy(); let _ = run(a, b, c, d, e, way); };
    fn run(a: Noisy, _: Noisy, b: Noisy, _c: Noisy, d: Noisy, way: Way) -> Result<(), String> {
        look(&b);
        way.fails()
    }
}

compare! { sync_patterns [] |way| { let [a, b, c, d, e, f] = noisy(); let _ = run((a, b), c, [d, e], f, way); };
    fn run((a, b): (Noisy, Noisy), mut c: Noisy, [d, e]: [Noisy; 2], f: Noisy, way: Way) -> Result<(), String> {
        look(&a);
        c = Noisy("other");
        look(&d);
        way.fails()?;
        take(e);
        Ok(())
    }
}

compare! { sync_leaves_a_part [] |way| { let [a, b, c, d, e, f] = noisy(); let _ = run(a, (b, c), d, (e, f), way); };
    fn run(a: Noisy, (b, _): (Noisy, Noisy), ref d: Noisy, (.., f): (Noisy, Noisy), way: Way) -> Result<(), String> {
        look(&a);
        look(d);
        way.fails()?;
        take(b);
        Ok(())
    }
}

compare! { sync_parts_of_one [] |way| { let [a, b, c] = noisy(); let _ = run((a, b), c, way); };
    fn run(pair: (Noisy, Noisy), c: Noisy, way: Way) -> Result<(), String> {
        take(pair.1);
        way.fails()?;
        look(&c);
        Ok(())
    }
}

compare! { sync_generic [] |way| { let [a, b, c] = noisy(); let _ = run(a, b, Some(c), way); };
    fn run<T>(a: T, b: impl Sized, c: Option<T>, way: Way) -> Result<(), String> {
        if let Some(c) = c { drop(c) }
        way.fails()?;
        drop(b);
        Ok(())
    }
}

compare! { sync_large [] |way| { let [a, b] = noisy(); let _ = run([0; 4096], a, b, way); };
    fn run(large: [u8; 4096], a: Noisy, b: Noisy, way: Way) -> Result<usize, String> {
        look(&a);
        way.fails()?;
        if large[0] == 1 { take(a) }
        Ok(large.len())
    }
}

compare! { sync_method [] |way| { let [a, b, c] = noisy(); let _ = Holder(a).run(b, c, way); };
    method fn run(self, b: Noisy, c: Noisy, way: Way) -> Result<(), String> {
        look(&b);
        way.fails()?;
        look(&self.0);
        look(&c);
        Ok(())
    }
}

compare! { sync_method_without_self [] |way| { let [a, b, c] = noisy(); let _ = Holder(a).run(b, c, way); };
    method fn run(mut self, b: Noisy, c: Noisy, way: Way) -> Result<(), String> {
        self.0 = Noisy("other");
        way.fails()
    }
}

compare! { sync_boxed_self [] |way| { let [a, b, c] = noisy(); let _ = Box::new(Holder(a)).run(b, c, way); };
    method fn run(self: Box<Self>, b: Noisy, c: Noisy, way: Way) -> Result<Noisy, String> {
        look(&c);
        way.fails()?;
        Ok(self.0)
    }
}

compare! { sync_never [] |way| { let [a, b] = noisy(); run(a, b, way) };
    fn run(a: Noisy, b: Noisy, way: Way) -> ! {
        look(&a);
        look(&b);
        panic!("{way:?}")
    }
}

compare! { async_in_the_order_of_use [] |way| { let [a, b, c] = noisy(); drive(run(a, b, c, way), way) };
    async fn run(a: Noisy, b: Noisy, c: Noisy, way: Way) -> Result<(), String> {
        look(&a);
        pause().await;
        let _local = Noisy("local");
        look(&c);
        if way == Way::Early { return Ok(()) }
        way.fails()?;
        look(&b);
        Ok(())
    }
}

compare! { async_moves [fields(way = ?way), ok(|_| n = 1), err(|e| length = e.len())] |way| {
        let [a, b, c] = noisy(); drive(run(a, b, c, way), way)
    };
    async fn run(a: Noisy, b: Noisy, c: Noisy, way: Way) -> Result<Noisy, String> {
        look(&b);
        if way == Way::Early { return Ok(b) }
        pause().await;
        way.fails()?;
        take(c);
        Ok(a)
    }
}

compare! { async_unused [] |way| { let [a, b, c, d, e] = noisy(); drive(run(a, b, c, d, e, way), way) };
    async fn run(a: Noisy, _: Noisy, b: Noisy, _c: Noisy, d: Noisy, way: Way) -> Result<(), String> {
        look(&b);
        pause().await;
        way.fails()
    }
}

compare! { async_patterns [] |way| {
        let [a, b, c, d, e, f] = noisy(); drive(run((a, b), c, [d, e], f, way), way)
    };
    async fn run((a, b): (Noisy, Noisy), mut c: Noisy, [d, e]: [Noisy; 2], f: Noisy, way: Way) -> Result<(), String> {
        look(&a);
        c = Noisy("other");
        look(&d);
        pause().await;
        way.fails()?;
        take(e);
        Ok(())
    }
}

compare! { async_leaves_a_part [] |way| {
        let [a, b, c, d, e, f] = noisy(); drive(run(a, (b, c), d, (e, f), way), way)
    };
    async fn run(a: Noisy, (b, _): (Noisy, Noisy), ref d: Noisy, (.., f): (Noisy, Noisy), way: Way) -> Result<(), String> {
        look(&a);
        pause().await;
        look(d);
        way.fails()?;
        take(b);
        Ok(())
    }
}

compare! { async_method [record(seen: u8)] |way| { let [a, b, c] = noisy(); drive(Holder(a).run(b, c, way), way) };
    method async fn run(self, b: Noisy, c: Noisy, way: Way) -> Result<(), String> {
        look(&b);
        pause().await;
        way.fails()?;
        look(&self.0);
        look(&c);
        Ok(())
    }
}

compare! { returned_future [] |way| { let [a, b, c] = noisy(); drive(run(a, b, c, way), way) };
    fn run(a: Noisy, b: Noisy, c: Noisy, way: Way) -> impl Future<Output = Result<(), String>> {
        look(&a);
        let _local = Noisy("local");
        async move {
            look(&c);
            pause().await;
            look(&b);
            way.fails()
        }
    }
}

compare! { boxed_future [] |way| { let [a, b, c] = noisy(); drive(run(a, b, c, way), way) };
    fn run(a: Noisy, b: Noisy, c: Noisy, way: Way) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>>>> {
        Box::pin(async move {
            look(&a);
            look(&c);
            pause().await;
            look(&b);
            way.fails()
        })
    }
}

compare! { boxed_future_after_a_call [] |way| { let [a, b, c] = noisy(); drive(run(a, b, c, way), way) };
    fn run(a: Noisy, _: Noisy, c: Noisy, way: Way) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>>>> {
        look(&c);
        let future = async move {
            look(&a);
            pause().await;
            way.fails()
        };
        Box::pin(future)
    }
}

async fn drain(stream: impl Stream<Item = u8>) {
    pin!(stream).for_each(|_| pause()).await;
}

compare! { stream [] |way| { let [a, b, c] = noisy(); drive(drain(run(a, b, c)), way) };
    fn run(a: Noisy, b: Noisy, c: Noisy) -> impl Stream<Item = u8> {
        look(&a);
        look(&b);
        futures_util::stream::iter([1, 2]).map(move |n| { look(&c); n })
    }
}

compare! { stream_after_a_wait [stream] |way| {
        let [a, b, c] = noisy(); drive(async move { if let Ok(stream) = run(a, b, c, way).await { drain(stream).await } }, way)
    };
    async fn run(a: Noisy, b: Noisy, c: Noisy, way: Way) -> Result<impl Stream<Item = u8>, String> {
        look(&a);
        pause().await;
        way.fails()?;
        look(&b);
        Ok(futures_util::stream::iter([1, 2]).map(move |n| { look(&c); n }))
    }
}
