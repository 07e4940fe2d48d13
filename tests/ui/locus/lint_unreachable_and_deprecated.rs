#[deprecated]
pub fn old() {}

#[ragtrace::traced_stage]
pub async fn asynchronous() -> u32 {
    old();
    loop {}
    1
}

#[ragtrace::traced_stage]
#[deprecated]
pub fn synchronous() -> u32 {
    panic!("never")
}

#[ragtrace::traced_stage]
pub fn caller() -> u32 {
    synchronous()
}

fn main() {}
