//! Names of the prelude mean something else.
#![expect(
    dead_code,
    unused_macros,
    non_camel_case_types,
    non_upper_case_globals,
    reason = "they only stand in the way"
)]

use ragtrace::{stage, traced_stage};
use ragtrace_tests::captured;

mod std {}
mod core {}
mod ragtrace_macros {}
mod tracing {}

struct Box;
struct Vec;
struct Option;
struct String;
struct Pin;
struct Infallible;
struct u16;
trait Send {}
trait Future {}
trait FnOnce {}
#[expect(non_snake_case, reason = "it stands in the way")]
fn Ok() {}
#[expect(non_snake_case, reason = "it stands in the way")]
fn Err() {}
#[expect(non_snake_case, reason = "it stands in the way")]
fn Some() {}
const None: () = ();

type Result<T> = ::std::result::Result<T, Failure>;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Failure;

macro_rules! file {
    () => {
        compile_error!("shadowed")
    };
}
macro_rules! line {
    () => {
        compile_error!("shadowed")
    };
}
macro_rules! module_path {
    () => {
        compile_error!("shadowed")
    };
}

#[traced_stage("shadowed.async", fields(n, out = n, end = n, fields = n), ok(|out| fields = *out, end = n), err(|end| out = ?end), record(value: u8))]
async fn asynchronous(n: u32) -> Result<u32> {
    let value = 1;
    record!(value = value);
    if n == 0 { Result::Err(Failure) } else { Result::Ok(n) }
}

#[traced_stage("shadowed.sync", fields(n))]
fn synchronous(n: u32) -> ::std::vec::Vec<u32> {
    vec![n]
}

#[traced_stage("shadowed.names", fields(__fields = __out, __end), ok(|__open| copy = *__open))]
fn our_names(__out: u32, __end: u32) -> u32 {
    __out
}

#[test]
fn shadowed_names_do_not_matter() {
    let ((), captured) = captured(async {
        assert_eq!(asynchronous(1).await, Result::Ok(1));
        assert_eq!(asynchronous(0).await, Result::Err(Failure));
        assert_eq!(synchronous(1).len() + our_names(1, 2) as usize, 2);
        let (__out, __end, value) = (1, 2, 3);
        let sum = stage!("shadowed.block", fields(__fields = __out, __end), ok(|__open| copy = *__open), record(value: u8), {
            record!(value = value);
            __out + __end
        });
        assert_eq!(sum, 3);
    });
    assert_eq!(captured.stage("shadowed.async").completed().len(), 1);
    let failed = captured.stage("shadowed.async").failed();
    assert_eq!(failed.one().field("out").and_then(|out| out.as_str()), ::std::option::Option::Some("Failure"));
    assert_eq!(captured.stage("shadowed.sync").completed().len(), 1);
}
