use ragtrace::traced_stage;

#[traced_stage(renamed_from = "chunk")]
fn chunk() {}

fn main() {}
