use ragtrace::traced_stage;

#[traced_stage("words", stream)]
fn words() {}

fn main() {}
