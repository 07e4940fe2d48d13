use ragtrace::traced_stage;

struct Document;

#[traced_stage(record(doc: Document))]
async fn chunk() {
    record!(doc = Document);
}

fn main() {}
