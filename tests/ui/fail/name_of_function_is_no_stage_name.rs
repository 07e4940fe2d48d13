use ragtrace::traced_stage;

#[allow(non_snake_case)]
#[traced_stage]
fn chunkDocument() {}

fn main() {}
