use ragtrace::traced_stage;

#[traced_stage(used(document = [doc]))]
fn parse(doc: &Document) -> u64 {
    doc.id
}

struct Document {
    id: u64,
}

fn main() {}
