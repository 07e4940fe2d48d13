//! A stage takes no more stack than `tracing`'s span: large arguments and results are not copied
//! more often.
#![expect(
    clippy::large_stack_arrays,
    clippy::large_types_passed_by_value,
    clippy::result_large_err,
    clippy::needless_pass_by_value,
    clippy::unused_async,
    reason = "it is about what is large"
)]

use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use ragtrace::traced_stage;

/// The size of a large value.
const LARGE: usize = 256 << 10;
/// More than the code around a body takes, and far less than a copy of a large value.
const SLACK: usize = LARGE / 8;

thread_local! {
    static DEEPEST: Cell<usize> = const { Cell::new(0) };
}

/// Notes the position of the stack.
#[inline(never)]
fn here() {
    let here = 0_u8;
    DEEPEST.set(DEEPEST.get().min(black_box(&raw const here).addr()));
}

/// Returns the depth of the stack from `run` to a call of [`here`].
fn depth_of(run: fn()) -> usize {
    let measure = move || {
        let top = 0_u8;
        let top = black_box(&raw const top).addr();
        DEEPEST.set(top);
        run();
        top - DEEPEST.get()
    };
    std::thread::Builder::new().stack_size(64 * LARGE).spawn(measure).unwrap().join().unwrap()
}

fn large() -> [u8; LARGE] {
    black_box([1; LARGE])
}

/// A large value that is not `Copy` and has a destructor.
struct Page {
    bytes: [u8; LARGE],
    name: String,
}

fn page() -> Page {
    Page { bytes: large(), name: String::from("page") }
}

#[derive(Debug)]
#[expect(dead_code, reason = "it is only large")]
struct Failure([u8; LARGE]);

fn now<F: Future + ?Sized>(mut future: Pin<Box<F>>) -> F::Output {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("it waits for nothing"),
    }
}

/// Defines a function three times: plain, as a stage, and with `tracing`'s attribute. `$call` runs
/// it. A debug build may copy a large result of a call this many times more.
macro_rules! compare {
    ($test:ident, $call:expr; $($function:tt)*) => {
        compare!($test, 0, $call; $($function)*);
    };
    ($test:ident, $more:expr, $call:expr; $($function:tt)*) => {
        compare!(@ $test, $more, $call;
            { $($function)* }
            { #[traced_stage] $($function)* }
            { #[tracing::instrument(skip_all)] $($function)* });
    };
    (@ $test:ident, $more:expr, $call:expr; { $($plain:tt)* } { $($ours:tt)* } { $($theirs:tt)* }) => {
        #[test]
        fn $test() {
            let plain = depth_of(|| { $($plain)* ($call)() });
            let ours = depth_of(|| { $($ours)* ($call)() });
            let theirs = depth_of(|| { $($theirs)* ($call)() });
            let copies = |depth: usize| depth / (LARGE / 10);
            println!("{}: plain {}, a stage {}, tracing::instrument {} tenths of a copy", stringify!($test), copies(plain), copies(ours), copies(theirs));
            let more = if cfg!(debug_assertions) { $more * LARGE } else { 0 };
            assert!(ours <= theirs + more + SLACK, "{ours} bytes of the stack are more than {theirs}");
        }
    };
}

compare!(an_array, || { let _ = run(large()); };
    fn run(bytes: [u8; LARGE]) -> u64 { here(); bytes.iter().map(|byte| u64::from(*byte)).sum() });

compare!(two_arrays, || { let _ = run(large(), large()); };
fn run(some: [u8; LARGE], more: [u8; LARGE]) -> Result<u8, std::num::ParseIntError> {
    here();
    let n: u8 = "1".parse()?;
    Ok(some[0] + more[0] + n)
});

compare!(a_page, || { let _ = run(page()); };
    fn run(page: Page) -> usize { here(); page.bytes.len() + page.name.len() });

compare!(a_page_that_may_fail, || { let _ = run(page()); };
fn run(page: Page) -> Result<usize, std::num::ParseIntError> {
    here();
    Ok(page.bytes.len() + page.name.parse::<usize>()?)
});

impl Page {
    fn plain(self) -> usize {
        here();
        self.bytes.len() + self.name.len()
    }

    #[traced_stage]
    fn ours(self) -> usize {
        here();
        self.bytes.len() + self.name.len()
    }
}

#[test]
fn a_large_self() {
    let plain = depth_of(|| {
        black_box(page().plain());
    });
    let ours = depth_of(|| {
        black_box(page().ours());
    });
    assert!(ours <= plain + SLACK, "{ours} bytes of the stack are more than {plain}");
}

compare!(a_large_result, 1, || { let _ = run(); };
    fn run() -> [u8; LARGE] { here(); large() });

compare!(a_large_error, 1, || { let _ = run(1); };
fn run(n: u8) -> Result<u8, Failure> {
    here();
    if n == 1 { return Err(Failure(large())); }
    Ok(n)
});

compare!(an_array_of_a_future, || { let _ = now(Box::pin(run(large()))); };
    async fn run(bytes: [u8; LARGE]) -> u64 { here(); bytes.iter().map(|byte| u64::from(*byte)).sum() });

compare!(an_array_over_an_await, || { let _ = now(Box::pin(run(large()))); };
    async fn run(bytes: [u8; LARGE]) -> u8 { here(); std::future::ready(()).await; here(); bytes[1] });

compare!(a_page_of_a_future, || { let _ = now(Box::pin(run(page()))); };
async fn run(page: Page) -> Result<usize, std::num::ParseIntError> {
    here();
    std::future::ready(()).await;
    Ok(page.bytes.len() + page.name.parse::<usize>()?)
});

compare!(a_large_result_of_a_future, || { let _ = now(Box::pin(run())); };
    async fn run() -> [u8; LARGE] { here(); std::future::ready(()).await; large() });

compare!(a_boxed_future, || { let _ = now(run(large())); };
    fn run(bytes: [u8; LARGE]) -> Pin<Box<dyn Future<Output = u8>>> { Box::pin(async move { here(); bytes[1] }) });
