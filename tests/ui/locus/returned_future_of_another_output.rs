use std::pin::Pin;

#[ragtrace::traced_stage]
pub fn opaque() -> impl Future<Output = u32> { async { "one" } }

#[ragtrace::traced_stage]
pub fn boxed() -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { "one" })
}

#[ragtrace::traced_stage]
pub fn boxed_not_send() -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move {
        let shared = std::rc::Rc::new(1);
        std::future::ready(()).await;
        *shared
    })
}

fn main() {}
