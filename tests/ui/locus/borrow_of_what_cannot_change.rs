#[ragtrace::traced_stage]
pub async fn asynchronous(words: Vec<String>) {
    words.push(String::new());
}

#[ragtrace::traced_stage]
pub fn synchronous(count: u32) -> u32 {
    count += 1;
    count
}

fn main() {}
