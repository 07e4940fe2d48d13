use ragtrace::traced_stage;

#[traced_stage(level = "critical")]
fn chunk() {}

fn main() {}
