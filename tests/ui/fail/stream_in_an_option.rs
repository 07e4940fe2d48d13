use futures_util::stream::{self, BoxStream, StreamExt as _};
use ragtrace::traced_stage;

#[traced_stage]
fn words(n: u8) -> Option<BoxStream<'static, u8>> {
    Some(stream::iter([n]).boxed())
}

fn main() {
    let _ = words(1);
}
