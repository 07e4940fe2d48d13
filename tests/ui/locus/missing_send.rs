use std::rc::Rc;

fn spawned<F: Future + Send + 'static>(_: F) {}

#[ragtrace::traced_stage]
async fn not_send() {
    let shared = Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {
    spawned(not_send());
}
