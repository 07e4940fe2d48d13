//! Functions that say that they never return, and do.

#[ragtrace::traced_stage]
pub fn ends() -> ! {}

#[ragtrace::traced_stage]
pub async fn ends_later() -> ! {
    std::future::ready(()).await;
}

fn main() {}
