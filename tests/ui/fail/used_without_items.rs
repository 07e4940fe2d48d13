use ragtrace::traced_stage;

#[traced_stage(used(document))]
fn parse(document: &str) -> usize {
    document.len()
}

fn main() {}
