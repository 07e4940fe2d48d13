pub fn load() -> u8 {
    ragtrace::stage!({ 1 })
}

fn main() {}
