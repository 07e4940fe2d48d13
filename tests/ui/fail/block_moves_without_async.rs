pub fn load() -> u8 {
    ragtrace::stage!("load", kind = parse, move { 1 })
}

fn main() {}
