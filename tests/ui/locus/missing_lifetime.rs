#[ragtrace::traced_stage]
pub async fn asynchronous(first: &str, second: &str) -> &str {
    println!("{second}");
    first
}

fn main() {}
