#[ragtrace::traced_stage]
pub async fn asynchronous() {
    let list = Vec::new();
    drop(list);
}

fn main() {}
