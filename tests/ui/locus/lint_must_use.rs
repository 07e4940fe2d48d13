#[must_use]
#[ragtrace::traced_stage]
pub fn matters() -> u32 {
    1
}

#[ragtrace::traced_stage]
pub async fn asynchronous() -> u32 {
    1
}

#[ragtrace::traced_stage]
pub async fn fallible() -> Result<(), u8> {
    matters();
    asynchronous();
    Ok(())
}

#[ragtrace::traced_stage]
pub async fn caller() {
    fallible().await;
}

fn main() {}
