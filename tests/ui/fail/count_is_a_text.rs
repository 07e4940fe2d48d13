use ragtrace::traced_stage;

#[traced_stage(ok(|out| count = %out.len()))]
fn chunk() -> Vec<String> {
    Vec::new()
}

fn main() {}
