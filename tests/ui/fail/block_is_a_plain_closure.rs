pub fn load() -> u8 {
    ragtrace::stage!("load", kind = parse, || { 1 })
}

fn main() {}
