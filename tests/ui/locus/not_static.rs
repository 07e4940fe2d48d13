fn spawned<F: Future + Send + 'static>(_: F) {}

#[ragtrace::traced_stage]
async fn borrowing(text: &str) -> usize {
    std::future::ready(text.len()).await
}

fn main() {
    let text = String::new();
    spawned(borrowing(&text));
}
