pub async fn load() -> u8 {
    ragtrace::stage!("load", kind = parse, async { 1 }.await)
}

fn main() {}
