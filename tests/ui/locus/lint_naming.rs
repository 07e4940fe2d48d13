#[ragtrace::traced_stage("naming")]
pub async fn badName(badArgument: u8) {
    let BadLocal = badArgument;
    drop(BadLocal);
}

fn main() {}
