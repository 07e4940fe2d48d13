use ragtrace::traced_stage;

#[traced_stage(kind = chunk, "chunking")]
fn chunk() {}

fn main() {}
