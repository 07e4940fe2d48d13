use ragtrace::traced_stage;

#[traced_stage(renamed_from = "DocumentChunking")]
fn chunk() {}

fn main() {}
