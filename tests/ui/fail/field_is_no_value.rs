use ragtrace::traced_stage;

struct Document;

#[traced_stage(fields(doc))]
async fn chunk(doc: &Document) {
    let _ = doc;
}

fn main() {}
