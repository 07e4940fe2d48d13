use ragtrace::traced_stage;

#[traced_stage]
fn answer(n: u8) -> impl IntoFuture<Output = u8> {
    std::future::ready(n)
}

fn main() {
    let _ = answer(1);
}
