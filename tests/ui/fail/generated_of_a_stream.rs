use futures_util::stream::{self, Stream};
use ragtrace::traced_stage;

#[traced_stage(generated(|out| chunk = [1]))]
fn words() -> impl Stream<Item = u32> {
    stream::iter([1])
}

fn main() {}
