pub fn load() {
    loop {
        ragtrace::stage!("load", kind = parse, { break });
    }
}

fn main() {}
