use ragtrace::traced_stage;

#[traced_stage("")]
fn chunk() {}

fn main() {}
