use futures_util::future::{BoxFuture, FutureExt as _};
use ragtrace::traced_stage;

#[traced_stage]
async fn answer(n: u8) -> Option<BoxFuture<'static, u8>> {
    Some(async move { n }.boxed())
}

fn main() {
    let _ = answer(1);
}
