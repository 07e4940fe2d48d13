use ragtrace::traced_stage;

#[traced_stage(renamed_from)]
fn chunk() {}

fn main() {}
