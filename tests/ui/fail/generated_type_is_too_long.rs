use ragtrace::traced_stage;

#[traced_stage(generated(|out| aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = out))]
fn chunk() -> Vec<u64> {
    Vec::new()
}

fn main() {}
