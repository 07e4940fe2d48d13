use ragtrace::traced_stage;

#[traced_stage(fields(text.len()))]
fn chunk(text: &str) {
    let _ = text;
}

fn main() {}
