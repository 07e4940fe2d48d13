use ragtrace::traced_stage;

#[traced_stage(ok(words = 3))]
fn chunk() -> Vec<String> {
    Vec::new()
}

fn main() {}
