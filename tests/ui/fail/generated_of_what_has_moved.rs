use ragtrace::traced_stage;

#[traced_stage(generated(|_| chunk = &ids))]
fn chunk(ids: Vec<u64>) -> usize {
    drop(ids);
    1
}

fn main() {}
