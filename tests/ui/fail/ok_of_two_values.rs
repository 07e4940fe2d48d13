use ragtrace::traced_stage;

#[traced_stage(ok(|first, second| words = 2))]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
