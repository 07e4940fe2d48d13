use ragtrace::traced_stage;

struct Index;

impl Index {
    #[traced_stage(fields(?self))]
    fn load(&self) {}
}

fn main() {}
