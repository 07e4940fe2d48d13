use ragtrace::traced_stage;

#[traced_stage(kind = retreive)]
fn search() {}

fn main() {}
