#[ragtrace::traced_stage]
pub async fn asynchronous(text: &str, other: u8) {}

#[ragtrace::traced_stage]
pub fn synchronous(text: &str, (first, second): (u8, u8)) -> u8 {
    first
}

#[ragtrace::traced_stage]
pub fn later(text: &str) -> impl Future<Output = u8> {
    async { 1 }
}

fn main() {}
