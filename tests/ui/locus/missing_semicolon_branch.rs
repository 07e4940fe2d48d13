#[ragtrace::traced_stage]
pub async fn asynchronous(flag: bool) -> u32 {
    if flag {
        1
    }
}

#[ragtrace::traced_stage]
pub fn synchronous(flag: bool) -> u32 {
    match flag {
        true => 1,
    }
}

fn main() {}
