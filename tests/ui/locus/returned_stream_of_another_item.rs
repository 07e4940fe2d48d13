use futures_util::stream::{self, Stream};

#[ragtrace::traced_stage]
pub fn numbers() -> impl Stream<Item = u32> {
    stream::iter(["one"])
}

fn main() {}
