use ragtrace::traced_stage;

#[traced_stage(chunk, fields(text))]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
