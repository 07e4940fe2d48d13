use ragtrace::traced_stage;

#[traced_stage(descriptor)]
fn load() {}

fn main() {}
