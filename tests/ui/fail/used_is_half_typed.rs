use ragtrace::traced_stage;

#[traced_stage(used(document = ))]
fn parse(id: &str) -> usize {
    id.len()
}

fn main() {}
