use ragtrace::traced_stage;

#[traced_stage(descriptor = "CHUNKING")]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
