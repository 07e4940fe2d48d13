struct Batch;

pub fn items() -> usize {
    ragtrace::Countable::count(&Batch)
}

fn main() {}
