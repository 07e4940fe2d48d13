use ragtrace::traced_stage;

#[traced_stage(ok(|out| ?out))]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
