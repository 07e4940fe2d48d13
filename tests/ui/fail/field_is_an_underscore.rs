use ragtrace::traced_stage;

#[traced_stage(fields(_ = text.len()))]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
