pub fn load() -> u8 {
    ragtrace::stage!("load", stream, { 1 })
}

fn main() {}
