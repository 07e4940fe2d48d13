pub fn load() -> u8 {
    ragtrace::stage!("load", kind = parse, 'found: { break 'found 1 })
}

fn main() {}
