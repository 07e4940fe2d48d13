use ragtrace::traced_stage;

#[traced_stage(record(pages: u32, pages: u64))]
fn chunk() {}

fn main() {}
