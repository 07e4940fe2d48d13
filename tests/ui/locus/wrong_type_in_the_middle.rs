#[ragtrace::traced_stage(fields(text), ok(|_| one = 1))]
pub async fn asynchronous(text: &str) -> usize {
    let count: u32 = text.len();
    takes(text);
    text.len() + usize::try_from(count).unwrap_or(0)
}

fn takes(_: u32) {}

fn main() {}
