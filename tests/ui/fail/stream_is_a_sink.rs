use futures_util::stream::Stream;
use ragtrace::traced_stage;

trait Sink {}

impl<T> Sink for futures_util::stream::Empty<T> {}

#[traced_stage]
fn duplex() -> impl Stream<Item = u8> + Sink {
    futures_util::stream::empty()
}

fn main() {
    let _ = duplex();
}
