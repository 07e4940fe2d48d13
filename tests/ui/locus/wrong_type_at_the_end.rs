#[ragtrace::traced_stage]
pub async fn asynchronous() -> Vec<u8> {
    let text = String::from("text");
    text
}

#[ragtrace::traced_stage]
pub fn synchronous() -> u32 {
    let text = String::from("text");
    text
}

#[ragtrace::traced_stage]
pub fn nothing() {
    let text = String::from("text");
    text
}

#[ragtrace::traced_stage]
pub async fn nothing_later() {
    1
}

fn main() {}
