use ragtrace::traced_stage;

#[traced_stage(level = "WARNING")]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
