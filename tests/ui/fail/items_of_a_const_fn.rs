use ragtrace::traced_stage;

#[traced_stage(used(document = [id]))]
const fn parse(id: u64) -> u64 {
    id
}

fn main() {}
