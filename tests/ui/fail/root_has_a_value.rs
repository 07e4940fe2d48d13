use ragtrace::traced_stage;

#[traced_stage(root = true)]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
