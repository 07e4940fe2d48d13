use ragtrace::traced_stage;

#[traced_stage("chunking", renamed_from = "chunking")]
fn chunk() {}

fn main() {}
