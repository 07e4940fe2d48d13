pub async fn load() -> u8 {
    ragtrace::stage!("load", descriptor = LOAD, async { 1 }).await
}

fn main() {}
