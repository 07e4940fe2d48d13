#[ragtrace::traced_stage]
pub async fn asynchronous(mut text: String) -> usize {
    use std::collections::HashMap;
    let unused = 1;
    let mut never_changed = 2;
    text.len() + never_changed
}

#[ragtrace::traced_stage]
pub fn synchronous() -> usize {
    let unused = 1;
    fn helper() {}
    return 1;
    2
}

fn main() {}
