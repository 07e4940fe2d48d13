#[ragtrace::traced_stage]
pub async fn asynchronous(text: String) -> String {
    let moved = text;
    println!("{text}");
    moved
}

#[ragtrace::traced_stage]
pub fn synchronous(text: String) -> String {
    let moved = text;
    println!("{text}");
    moved
}

fn main() {}
