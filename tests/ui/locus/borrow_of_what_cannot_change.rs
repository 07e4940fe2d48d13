#[ragtrace::traced_stage]
pub async fn asynchronous(words: Vec<String>) {
    words.push(String::new());
}

fn main() {}
