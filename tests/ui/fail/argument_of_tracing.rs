use ragtrace::traced_stage;

#[traced_stage(skip_all)]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
