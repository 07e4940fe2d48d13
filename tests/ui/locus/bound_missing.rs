#[ragtrace::traced_stage]
pub async fn asynchronous<T>(first: T) -> T {
    first.clone()
}

#[ragtrace::traced_stage]
pub fn synchronous<T>(first: T, second: T) -> bool {
    first == second
}

fn main() {}
