use ragtrace::traced_stage;

#[traced_stage(ok(|out|))]
fn chunk() -> Vec<String> {
    Vec::new()
}

fn main() {}
