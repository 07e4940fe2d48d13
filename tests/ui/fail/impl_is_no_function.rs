use ragtrace::traced_stage;

struct Index;

#[traced_stage(kind = store)]
impl Index {
    fn load(&self) {}
}

pub fn load() {
    Index.load();
}

fn main() {}
