use ragtrace::traced_stage;

#[traced_stage(used(document = id))]
fn parse(id: &str) -> usize {
    id.len()
}

fn main() {}
