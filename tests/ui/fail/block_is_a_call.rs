pub fn load() -> u8 {
    ragtrace::stage!("load", kind = parse, u8::from(true))
}

fn main() {}
