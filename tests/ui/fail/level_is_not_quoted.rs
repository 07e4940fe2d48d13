use ragtrace::traced_stage;

#[traced_stage(level = debug)]
fn chunk() {}

fn main() {}
