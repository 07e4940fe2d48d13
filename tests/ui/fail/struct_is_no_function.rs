use ragtrace::traced_stage;

#[traced_stage]
#[derive(Clone)]
struct Document {
    name: String,
}

pub fn copy(document: &Document) -> String {
    document.clone().name
}

fn main() {}
