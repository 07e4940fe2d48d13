use ragtrace::traced_stage;

#[traced_stage(generated(chunk = [1]))]
fn chunk() -> Vec<u64> {
    Vec::new()
}

fn main() {}
