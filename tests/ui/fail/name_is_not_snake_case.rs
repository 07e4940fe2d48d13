use ragtrace::traced_stage;

#[traced_stage("Document Chunking", kind = chunk)]
fn chunk() {}

fn main() {}
