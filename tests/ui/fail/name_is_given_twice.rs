use ragtrace::traced_stage;

#[traced_stage("chunking", name = "chunking")]
fn chunk() {}

fn main() {}
