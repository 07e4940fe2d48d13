pub async fn load() -> u8 {
    ragtrace::stage!(kind = parse, async { 1 }).await
}

fn main() {}
