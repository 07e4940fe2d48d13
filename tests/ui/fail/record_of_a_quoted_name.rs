use ragtrace::traced_stage;

#[traced_stage(record("pages": u32))]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
