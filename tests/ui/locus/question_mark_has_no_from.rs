#[derive(Debug)]
pub struct Failure;

#[ragtrace::traced_stage]
pub async fn asynchronous(text: &str) -> Result<u32, Failure> {
    let number: u32 = text.parse()?;
    Ok(number)
}

#[ragtrace::traced_stage]
pub fn synchronous(text: &str) -> u32 {
    let number: u32 = text.parse()?;
    number
}

fn main() {}
