#[ragtrace::traced_stage]
pub async fn asynchronous(depth: u32) -> u32 {
    if depth == 0 { 0 } else { asynchronous(depth - 1).await }
}

fn main() {}
