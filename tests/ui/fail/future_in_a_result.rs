use ragtrace::traced_stage;

#[traced_stage]
fn answer(n: u8) -> Result<impl Future<Output = u8>, String> {
    Ok(std::future::ready(n))
}

fn main() {
    let _ = answer(1);
}
