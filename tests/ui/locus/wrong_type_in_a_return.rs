#[ragtrace::traced_stage]
pub async fn asynchronous(early: bool) -> Result<u32, String> {
    if early {
        return Err(7);
    }
    Ok(1)
}

#[ragtrace::traced_stage]
pub fn synchronous(early: bool) -> Option<u32> {
    if early {
        return 7;
    }
    None
}

fn main() {}
