#[ragtrace::traced_stage]
pub async fn asynchronous(text: &str) -> usize {
    txt.len()
}

#[ragtrace::traced_stage]
pub fn synchronous(text: &str) -> usize {
    text.length()
}

#[ragtrace::traced_stage]
pub fn unknown_type(text: &Text) -> usize {
    text.len()
}

fn main() {}
