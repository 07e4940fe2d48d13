use ragtrace::traced_stage;

#[traced_stage(field(name))]
fn chunk(name: &str) {
    let _ = name;
}

fn main() {}
