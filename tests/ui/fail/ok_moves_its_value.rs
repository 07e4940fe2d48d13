use ragtrace::traced_stage;

#[traced_stage(ok(|&out| words = out.len()))]
fn chunk() -> Vec<String> {
    Vec::new()
}

fn main() {}
