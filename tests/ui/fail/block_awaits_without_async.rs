pub async fn load() -> u8 {
    ragtrace::stage!("load", kind = parse, { std::future::ready(1).await })
}

fn main() {}
