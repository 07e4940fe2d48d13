use ragtrace::traced_stage;

#[traced_stage(generated(|chunks| chunk = chunks))]
async fn chunk() -> Vec<Chunk> {
    Vec::new()
}

struct Chunk {
    id: u64,
}

fn main() {}
