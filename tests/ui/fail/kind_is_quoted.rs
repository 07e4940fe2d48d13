use ragtrace::traced_stage;

#[traced_stage(kind = "chunk")]
fn chunk() {}

fn main() {}
