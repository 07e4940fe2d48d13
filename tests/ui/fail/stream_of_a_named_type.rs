use futures_util::stream;
use ragtrace::traced_stage;

#[traced_stage(stream)]
fn words() -> stream::Empty<u32> {
    stream::empty()
}

fn main() {}
