pub fn load() -> u8 {
    ragtrace::stage!("load", { 1 }, kind = parse)
}

fn main() {}
