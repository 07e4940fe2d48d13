use ragtrace::traced_stage;

#[traced_stage(fields(pages = ))]
fn chunk() {}

fn main() {}
