use ragtrace::traced_stage;

struct Document {
    name: String,
}

#[traced_stage(fields(doc.name, doc.name = "other"))]
fn chunk(doc: &Document) {
    let _ = doc;
}

fn main() {}
