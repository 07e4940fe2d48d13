#[ragtrace::traced_stage]
pub async fn asynchronous(flag: bool) -> u32 {
    if (flag) {
        return { 1 };
    }
    (2)
}

#[ragtrace::traced_stage]
pub fn synchronous() -> u32 {
    ({ 2 })
}

fn main() {}
