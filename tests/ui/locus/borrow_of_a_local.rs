#[ragtrace::traced_stage]
pub async fn asynchronous(text: &str) -> &str {
    let local = text.to_owned();
    &local
}

#[ragtrace::traced_stage]
pub fn synchronous(text: &str) -> &str {
    let local = text.to_owned();
    local.as_str()
}

fn main() {}
