use ragtrace::traced_stage;

#[traced_stage]
fn answer(n: u8) -> Box<dyn Future<Output = u8> + Unpin> {
    Box::new(std::future::ready(n))
}

fn main() {
    let _ = answer(1);
}
