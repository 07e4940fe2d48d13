use ragtrace::traced_stage;

#[traced_stage(ok(|_| duration_ms = 3))]
fn chunk() -> u32 {
    1
}

fn main() {}
