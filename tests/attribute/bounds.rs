//! A stage has the type and the size in memory that the function has without the attribute.

use std::future::Future;
use std::mem::size_of_val;
use std::rc::Rc;

use ragtrace::traced_stage;

/// Defines a function three times: plain, as a stage, and with `tracing`'s attribute.
macro_rules! thrice {
    ($($name:ident)* => async fn $head:tt $(-> $returned:ty)? $body:block) => {
        thrice!(@ [$($name)*] $head [$($returned)?] $body);
    };
    (@ [$plain:ident $ours:ident $theirs:ident] ($($arguments:tt)*) [$($returned:ty)?] $body:block) => {
        async fn $plain($($arguments)*) $(-> $returned)? $body

        #[traced_stage]
        async fn $ours($($arguments)*) $(-> $returned)? $body

        #[tracing::instrument(skip_all)]
        async fn $theirs($($arguments)*) $(-> $returned)? $body
    };
}

thrice!(empty empty_stage empty_span => async fn () {});

thrice!(local local_stage local_span => async fn () -> u8 {
    let local = [1_u8; 1024];
    std::future::ready(()).await;
    local[usize::from(local[0])]
});

macro_rules! nested {
    ($plain:ident $ours:ident $theirs:ident around $inner:ident $inner_ours:ident $inner_theirs:ident) => {
        async fn $plain(n: u64) -> u64 {
            let local = [n; 2];
            $inner(n).await + local[1]
        }

        #[traced_stage]
        async fn $ours(n: u64) -> u64 {
            let local = [n; 2];
            $inner_ours(n).await + local[1]
        }

        #[tracing::instrument(skip_all)]
        async fn $theirs(n: u64) -> u64 {
            let local = [n; 2];
            $inner_theirs(n).await + local[1]
        }
    };
}

async fn p0(n: u64) -> u64 {
    std::future::ready(n).await
}

nested!(p1 o1 t1 around p0 p0 p0);
nested!(p2 o2 t2 around p1 o1 t1);
nested!(p3 o3 t3 around p2 o2 t2);
nested!(p4 o4 t4 around p3 o3 t3);
nested!(p5 o5 t5 around p4 o4 t4);
nested!(p6 o6 t6 around p5 o5 t5);
nested!(p7 o7 t7 around p6 o6 t6);
nested!(p8 o8 t8 around p7 o7 t7);

#[test]
fn a_future_grows_no_more_than_under_tracing() {
    let sizes = [
        ("empty body", size_of_val(&empty()), size_of_val(&empty_stage()), size_of_val(&empty_span())),
        ("1 KiB across an await", size_of_val(&local()), size_of_val(&local_stage()), size_of_val(&local_span())),
        ("eight nested", size_of_val(&p8(1)), size_of_val(&o8(1)), size_of_val(&t8(1))),
    ];
    for (body, plain, ours, theirs) in sizes {
        println!("{body}: plain {plain}, a stage {ours}, tracing::instrument {theirs} bytes");
        assert!(ours <= theirs, "{body}: {ours} bytes are more than {theirs}");
    }
}

fn is_send<T: Send>(_: &T) {}
fn is_sync<T: Sync>(_: &T) {}
fn is_static<T: 'static>(_: &T) {}
fn is_unpin<T: Unpin>(_: &T) {}

#[traced_stage(fields(text), ok(|out| len = out.len()), record(note: &str))]
async fn borrows(text: &str) -> &str {
    std::future::ready(()).await;
    text
}

#[traced_stage]
async fn owns(text: String) -> String {
    std::future::ready(()).await;
    text
}

#[traced_stage]
async fn uses_rc_between(n: u8) -> u8 {
    let n = *Rc::new(n);
    std::future::ready(()).await;
    n
}

#[traced_stage]
fn ready(n: u8) -> std::future::Ready<u8> {
    std::future::ready(n)
}

#[traced_stage]
fn opaque(n: u8) -> impl Future<Output = u8> + Send + Sync + Unpin + 'static {
    std::future::ready(n)
}

#[traced_stage]
fn stream(n: u8) -> impl futures_util::Stream<Item = u8> + Send + Unpin + 'static {
    futures_util::stream::iter([n])
}

#[test]
fn auto_traits_and_lifetimes_are_those_of_the_body() {
    let text = String::from("text");
    is_send(&borrows(&text));
    is_send(&owns(String::new()));
    is_sync(&owns(String::new()));
    is_static(&owns(String::new()));
    // Values that are dropped before an await do not matter. `ui/locus/missing_send.rs` tests that
    // values held across an await make the future not `Send`.
    is_send(&uses_rc_between(1));
    is_unpin(&ready(1));
    is_unpin(&opaque(1));
    is_unpin(&stream(1));
    is_send(&ragtrace::stage!("bounds.block", async { std::future::ready(()).await }));
}

#[test]
fn a_plain_function_that_names_its_future_keeps_the_type() {
    let future: std::future::Ready<u8> = ready(1);
    assert_eq!(future.into_inner(), 1);
}
