pub fn load() -> u8 {
    ragtrace::stage!("load", kind = parse, unsafe { 1 })
}

fn main() {}
