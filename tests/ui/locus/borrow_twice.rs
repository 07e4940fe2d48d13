#[ragtrace::traced_stage]
pub async fn asynchronous(mut words: Vec<String>) {
    let first = &words[0];
    words.push(String::new());
    println!("{first}");
}

#[ragtrace::traced_stage]
pub fn synchronous(words: &mut Vec<String>) {
    let first = &mut words[0];
    words.push(String::new());
    first.push('x');
}

fn main() {}
