use ragtrace::traced_stage;

#[traced_stage(target = module_path!())]
fn chunk() {}

fn main() {}
