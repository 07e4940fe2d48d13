use ragtrace::traced_stage;

#[traced_stage(err(|error| code = error.code()))]
fn chunk() {}

fn main() {}
