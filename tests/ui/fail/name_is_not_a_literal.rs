use ragtrace::traced_stage;

const NAME: &str = "chunking";

#[traced_stage(name = NAME)]
fn chunk() {}

fn main() {}
