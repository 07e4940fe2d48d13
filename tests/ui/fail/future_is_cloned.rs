use ragtrace::traced_stage;

#[traced_stage]
fn answer(n: u8) -> impl Future<Output = u8> + Clone {
    std::future::ready(n)
}

fn main() {
    let _ = answer(1).clone();
}
