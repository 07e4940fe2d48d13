use ragtrace::traced_stage;

#[traced_stage(renamed_from = chunking)]
fn chunk() {}

fn main() {}
