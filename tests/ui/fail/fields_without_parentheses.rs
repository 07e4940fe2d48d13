use ragtrace::traced_stage;

#[traced_stage(fields = name)]
fn chunk(name: &str) {
    let _ = name;
}

fn main() {}
