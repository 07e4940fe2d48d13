use ragtrace::traced_stage;

#[traced_stage(renamed_from = "chunking", renamed_from = "splitting")]
fn chunk() {}

fn main() {}
