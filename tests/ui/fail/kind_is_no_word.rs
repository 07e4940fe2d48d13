use ragtrace::traced_stage;

#[traced_stage(kind = 3)]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
