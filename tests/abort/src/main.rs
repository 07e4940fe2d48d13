//! Panics in the way that its argument names, while its records go to standard output.
//! `tests/attribute/abort.rs` builds it with `panic = "abort"` and reads the output.

use std::future::{Future, pending, ready};
use std::io::{Write, stdout};
use std::pin::pin;
use std::sync::{Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, JsonLines, Sink, SinkError};
use ragtrace::{Console, RequestContext, traced_stage};

/// Polls `future` until it is done, without waiting between polls.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

#[traced_stage(kind = pipeline, fields(document))]
async fn ingestion(document: &str) {
    ready(()).await;
    chunking(document);
}

#[traced_stage(kind = chunk, record(pages: u32))]
fn chunking(document: &str) {
    record!(pages = 2);
    panic!("no text in {document}");
}

#[traced_stage]
fn complete() {}

#[traced_stage]
fn waiting(begins: &mpsc::Sender<()>, until: &mpsc::Receiver<()>) {
    let _ = begins.send(());
    let _ = until.recv();
}

/// A sink that never answers, or panics when the worker calls it.
struct Bad {
    panics: bool,
}

impl Sink for Bad {
    fn name(&self) -> &'static str {
        "bad"
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_age(Duration::ZERO)
    }

    async fn deliver(&self, _: &Batch) -> Result<Delivered, SinkError> {
        assert!(!self.panics, "a sink panics");
        pending().await
    }
}

/// A value that panics while it holds a lock that the hook's sink needs.
struct Locked;

static LOCK: Mutex<()> = Mutex::new(());

impl Write for Locked {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _lock = LOCK.lock();
        stdout().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        stdout().flush()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manner = std::env::args().nth(1).unwrap_or_default();
    let builder = ragtrace::builder().service("aborting").console(Console::Off).sink(JsonLines::new(Locked));
    let builder = match manner.as_str() {
        "stuck" => builder.sink(Bad { panics: false }),
        "sink" => builder.sink(Bad { panics: true }),
        _ => builder,
    };
    let _telemetry = builder.install()?;
    let request = RequestContext::new().with_user_id("alice");
    match manner.as_str() {
        "thread" => {
            let (begins, begun) = mpsc::channel();
            let (wakes, until) = mpsc::channel();
            let other = thread::Builder::new().name("worker-7".to_owned()).spawn(move || {
                let _ = begun.recv();
                request.sync_scope(|| block_on(ingestion("a.md")));
                drop(wakes);
            })?;
            waiting(&begins, &until);
            let _ = other.join();
        }
        "nowhere" => {
            complete();
            panic!("outside of any stage");
        }
        "sink" => {
            complete();
            loop {
                thread::park();
            }
        }
        "locked" => {
            let _lock = LOCK.lock();
            complete();
            block_on(ingestion("a.md"));
        }
        _ => request.sync_scope(|| block_on(ingestion("a.md"))),
    }
    Ok(())
}
