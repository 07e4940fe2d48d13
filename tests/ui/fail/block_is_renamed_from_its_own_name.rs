pub fn load() -> u8 {
    ragtrace::stage!("load", renamed_from = "load", { 1 })
}

fn main() {}
