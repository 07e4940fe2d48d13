use ragtrace::traced_stage;

#[traced_stage(asynchronous)]
fn chunk() {}

fn main() {}
