pub async fn load() -> u8 {
    ragtrace::stage!("load", kind = parse).await
}

fn main() {}
