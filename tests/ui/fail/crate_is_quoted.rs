use ragtrace::traced_stage;

#[traced_stage(crate = "ragtrace")]
fn chunk(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn main() {}
