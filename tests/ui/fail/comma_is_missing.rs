use ragtrace::traced_stage;

#[traced_stage(kind = chunk level = "debug")]
fn chunk() {}

fn main() {}
