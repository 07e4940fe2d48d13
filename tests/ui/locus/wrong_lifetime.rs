#[ragtrace::traced_stage]
pub async fn asynchronous<'a, 'b>(first: &'a str, second: &'b str) -> &'a str {
    println!("{first}");
    second
}

#[ragtrace::traced_stage]
pub fn synchronous<'a, 'b>(first: &'a str, second: &'b str) -> &'a str {
    println!("{first}");
    second
}

fn main() {}
